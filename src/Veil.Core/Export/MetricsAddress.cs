// SPDX-License-Identifier: GPL-3.0-only
using System.Globalization;
using System.Net;
using Veil.Core.Text;

namespace Veil.Core.Export;

/// <summary>Where metrics are served: <c>ADDRESS:PORT</c>, or a port alone, which is one of this machine's own.</summary>
public static class MetricsAddress
{
    /// <summary>Reads it.</summary>
    /// <exception cref="UsageException">It is none.</exception>
    public static IPEndPoint Parse(string flag, string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        int colon = text.LastIndexOf(':');
        string host = colon < 0 ? "" : text[..colon], port = text[(colon + 1)..];
        bool isBracketed = host.StartsWith('[') && host.EndsWith(']');
        IPAddress? address = host switch
        {
            "" or "localhost" => IPAddress.Loopback,
            _ when host.Contains(':', StringComparison.Ordinal) != isBracketed => null,
            _ => IPAddress.TryParse(host, out var parsed) ? parsed : null,
        };
        // 1 alone would be an address too, 0.0.0.1.
        if (address is null || (!isBracketed && host is not ("" or "localhost") && host.Count(static one => one == '.') != 3))
            throw new UsageException(
                $"{flag}: '{Escaping.ForMessage(text)}' is no address and port, such as 127.0.0.1:9435, 0.0.0.0:9435 or [::1]:9435");
        if (!ushort.TryParse(port, NumberStyles.None, CultureInfo.InvariantCulture, out ushort number))
            throw new UsageException($"{flag}: '{Escaping.ForMessage(port)}' is no port from 0 (any that is free) to 65535");
        return new IPEndPoint(address, number);
    }
}
