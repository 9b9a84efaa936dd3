using System.Text;
using Veil.Core.Interop;
using Veil.Core.Sinks;

namespace Veil.Core.Session;

/// <summary>The object that tells a reader of the JSON stream where it has a hole.</summary>
internal static class LossRecord
{
    /// <summary>
    /// Appends <c>{"module":…,"evt_type":"lost","cause":…,"count":…,"uids":[{"uid":…,"count":…}],"others":…,"timestamp":…}</c>; without the
    /// two where nobody is known.
    /// </summary>
    public static void Append(OutputBuffer buffer, string module, string cause, LossCount lost)
    {
        string users = lost.Users.Count == 0 ? ""
            : $$""","uids":[{{string.Join(',', lost.Shown.Select(static user => $$"""{"uid":{{user.Uid}},"count":{{user.Count}}}"""))}}],"others":{{lost.Others}}""";
        var line = buffer.BeginLine();
        line.Append(Encoding.UTF8.GetBytes(
            $$"""{"module":"{{module}}","evt_type":"lost","cause":"{{cause}}","count":{{lost.Count}}{{users}},"timestamp":{{LibC.NowNs(LibC.ClockBoottime)}}}"""));
        line.Append((byte)'\n');
        buffer.EndNotice(line);
    }
}
