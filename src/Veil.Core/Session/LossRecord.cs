using System.Text;
using Veil.Core.Interop;
using Veil.Core.Sinks;

namespace Veil.Core.Session;

/// <summary>The object that tells a reader of the JSON stream where it has a hole.</summary>
internal static class LossRecord
{
    /// <summary>Appends <c>{"module":…,"evt_type":"lost","cause":…,"count":…,"timestamp":…}</c>.</summary>
    public static void Append(OutputBuffer buffer, string module, string cause, ulong count)
    {
        var line = buffer.BeginLine();
        line.Append(Encoding.UTF8.GetBytes(
            $$"""{"module":"{{module}}","evt_type":"lost","cause":"{{cause}}","count":{{count}},"timestamp":{{LibC.NowNs(LibC.ClockBoottime)}}}"""));
        line.Append((byte)'\n');
        buffer.EndNotice(line);
    }
}
