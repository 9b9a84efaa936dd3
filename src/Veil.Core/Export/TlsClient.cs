// SPDX-License-Identifier: GPL-3.0-only
using System.Runtime.InteropServices;
using System.Text;
using Veil.Core.Interop;
using Veil.Core.Text;

namespace Veil.Core.Export;

/// <summary>What connections by TLS have in common: whom we believe, and who we are. Made while files can still be read that are
/// root's.</summary>
internal sealed unsafe class TlsClient
{
    private readonly void* _context;

    /// <summary>Loads OpenSSL and the certificates.</summary>
    /// <param name="options">The files.</param>
    /// <exception cref="VeilException">There is no OpenSSL, or a file is none.</exception>
    public TlsClient(OtlpOptions options)
    {
        Library = LibSsl.TryLoad() ?? throw new VeilException("--otlp: https needs OpenSSL 3: libssl.so.3 is not installed (Debian: libssl3)");
        _context = Library.ContextNew(Library.ClientMethod());
        Library.RequireTls12(_context);
        Library.SetVerify(_context, LibSsl.VerifyPeer, null);
        if (options.Certificate is { } trusted)
            Load(trusted, "OTEL_EXPORTER_OTLP_CERTIFICATE", name => Library.LoadVerifyLocations(_context, (byte*)name, null));
        else
            _ = Library.DefaultVerifyPaths(_context);
        if (options.ClientCertificate is { } own)
            Load(own, "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE", name => Library.UseCertificateChain(_context, (byte*)name));
        if (options.ClientKey is { } key)
            Load(key, "OTEL_EXPORTER_OTLP_CLIENT_KEY", name => Library.UsePrivateKey(_context, (byte*)name, LibSsl.FilePem));
    }

    /// <summary>OpenSSL.</summary>
    public LibSsl Library { get; }

    /// <summary>A connection that will believe this host alone.</summary>
    /// <param name="fd">Its socket.</param>
    /// <param name="host">A name or an address.</param>
    public void* Open(int fd, string host)
    {
        void* ssl = Library.New(_context);
        fixed (byte* name = Encoding.ASCII.GetBytes(host + "\0"))
        {
            if (System.Net.IPAddress.TryParse(host, out _))
            {
                _ = Library.SetAddress(Library.Parameters(ssl), name);
            }
            else
            {
                Library.NameHost(ssl, name);
                _ = Library.SetHost(ssl, name);
            }
        }

        _ = Library.SetFd(ssl, fd);
        return ssl;
    }

    private void Load(string path, string variable, Func<nint, int> load)
    {
        if (!File.Exists(path))
            throw new UsageException($"{variable}: {Escaping.ForMessage(path)}: no such file");
        Library.ClearErrors();
        nint name = Marshal.StringToCoTaskMemUTF8(path);
        bool isLoaded = load(name) == 1;
        Marshal.FreeCoTaskMem(name);
        if (!isLoaded)
            throw new UsageException($"{variable}: {Escaping.ForMessage(path)}: {Library.LastError(null)}");
    }
}
