// SPDX-License-Identifier: GPL-3.0-only
using System.Buffers.Text;
using System.Text;

namespace Veil.Core.Export;

/// <summary>A request's head, as far as it matters here.</summary>
internal readonly ref struct MetricsRequest
{
    private readonly ReadOnlySpan<byte> _fields;

    private MetricsRequest(ReadOnlySpan<byte> method, ReadOnlySpan<byte> path, bool isHttp11, ReadOnlySpan<byte> fields)
    {
        Method = method;
        Path = path;
        IsHttp11 = isHttp11;
        _fields = fields;
    }

    /// <summary>What is asked for.</summary>
    public ReadOnlySpan<byte> Method { get; }

    /// <summary>Of what, without what follows a question mark.</summary>
    public ReadOnlySpan<byte> Path { get; }

    /// <summary>Not the older version, which closes after each answer.</summary>
    public bool IsHttp11 { get; }

    /// <summary>Does the connection stay? Not where a body would follow, which nobody reads.</summary>
    public bool Stays
    {
        get
        {
            var connection = Field("connection"u8);
            return !MayHaveBody()
                && (IsHttp11 ? !Ascii.EqualsIgnoreCase(connection, "close"u8) : Ascii.EqualsIgnoreCase(connection, "keep-alive"u8));
        }
    }

    /// <summary>The token of <c>Authorization: Bearer</c>; empty where there is none.</summary>
    public ReadOnlySpan<byte> Token =>
        Field("authorization"u8) is { Length: > 7 } value
            && Ascii.EqualsIgnoreCase(value[..7], "bearer "u8) ? value[7..].Trim((byte)' ') : [];

    /// <summary>Finds the end of a head, an empty line; 0 where it is not there yet.</summary>
    public static int EndOf(ReadOnlySpan<byte> received)
    {
        int end = received.IndexOf("\r\n\r\n"u8);
        int bare = received.IndexOf("\n\n"u8);
        return end >= 0 && (bare < 0 || end < bare) ? end + 4 : bare >= 0 ? bare + 2 : 0;
    }

    /// <summary>Reads a whole head.</summary>
    /// <returns>False where it is none of HTTP/1.</returns>
    public static bool TryParse(ReadOnlySpan<byte> head, out MetricsRequest request)
    {
        request = default;
        int end = head.IndexOf((byte)'\n');
        var line = head[..end].TrimEnd((byte)'\r');
        int first = line.IndexOf((byte)' '), last = line.LastIndexOf((byte)' ');
        if (first <= 0 || last <= first + 1 || !line[(last + 1)..].StartsWith("HTTP/1."u8))
            return false;
        var path = line[(first + 1)..last];
        int query = path.IndexOf((byte)'?');
        request = new MetricsRequest(line[..first], query < 0 ? path : path[..query], line.EndsWith("1"u8), head[(end + 1)..]);
        return true;
    }

    /// <summary>The form that is wanted most of those that there are; the first where nothing is said.</summary>
    public MetricsForm Form()
    {
        var best = MetricsForm.Text;
        double most = 0;
        foreach (var range in Field("accept"u8).Split((byte)','))
        {
            var wanted = Field("accept"u8)[range].Trim((byte)' ');
            double weight = 1;
            int quality = wanted.IndexOf("q="u8);
            if (quality > 0 && (!Utf8Parser.TryParse(wanted[(quality + 2)..], out weight, out _) || weight is not (>= 0 and <= 1)))
                weight = 0;
            bool isOpenMetrics = wanted.StartsWith("application/openmetrics-text"u8) && wanted.IndexOf("version=0.0.1"u8) < 0;
            MetricsForm? form = isOpenMetrics ? MetricsForm.OpenMetrics
                : wanted.StartsWith("text/plain"u8) || wanted.StartsWith("*/*"u8) || wanted.StartsWith("text/*"u8) ? MetricsForm.Text
                : null;
            if (form is { } one && weight > most)
                (best, most) = (one, weight);
        }

        return best;
    }

    // However oddly it is written, and if it is there twice: what somebody else on the way takes for a body must be no request here.
    private bool MayHaveBody()
    {
        foreach (var range in _fields.Split((byte)'\n'))
        {
            var line = _fields[range];
            int colon = line.IndexOf((byte)':');
            var name = line[..Math.Max(colon, 0)].Trim(" \t\r"u8);
            if (Ascii.EqualsIgnoreCase(name, "transfer-encoding"u8)
                || (Ascii.EqualsIgnoreCase(name, "content-length"u8) && !line[(colon + 1)..].Trim(" \t\r"u8).SequenceEqual("0"u8)))
                return true;
        }

        return false;
    }

    private ReadOnlySpan<byte> Field(ReadOnlySpan<byte> name)
    {
        var rest = _fields;
        while (rest.IndexOf((byte)'\n') is >= 0 and var end)
        {
            var line = rest[..end];
            int colon = line.IndexOf((byte)':');
            if (colon > 0 && Ascii.EqualsIgnoreCase(line[..colon], name))
                return line[(colon + 1)..].Trim(" \t\r"u8);
            rest = rest[(end + 1)..];
        }

        return [];
    }
}

/// <summary>A form of metrics.</summary>
internal enum MetricsForm
{
    /// <summary>Prometheus text 0.0.4.</summary>
    Text,

    /// <summary>OpenMetrics 1.0.</summary>
    OpenMetrics,
}
