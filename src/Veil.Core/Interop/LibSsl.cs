// SPDX-License-Identifier: GPL-3.0-only
using System.Runtime.InteropServices;

namespace Veil.Core.Interop;

/// <summary>
/// The machine's OpenSSL 3, loaded where something is sent by https and never else: it is not linked in, so that the system's updates
/// hold for
/// it.
/// </summary>
internal sealed unsafe class LibSsl
{
    public const int VerifyPeer = 1;
    public const int FilePem = 1;
    public const int WantRead = 2;
    public const int WantWrite = 3;
    private const int SetMinProtoVersion = 123; // SSL_CTRL_SET_MIN_PROTO_VERSION
    private const int SetHostName = 55; // SSL_CTRL_SET_TLSEXT_HOSTNAME
    private const int Tls12 = 0x0303;

    public readonly delegate* unmanaged<void*> ClientMethod;
    public readonly delegate* unmanaged<void*, void*> ContextNew;
    public readonly delegate* unmanaged<void*, int> DefaultVerifyPaths;
    public readonly delegate* unmanaged<void*, byte*, byte*, int> LoadVerifyLocations;
    public readonly delegate* unmanaged<void*, byte*, int> UseCertificateChain;
    public readonly delegate* unmanaged<void*, byte*, int, int> UsePrivateKey;
    public readonly delegate* unmanaged<void*, int, void*, void> SetVerify;
    public readonly delegate* unmanaged<void*, void*> New;
    public readonly delegate* unmanaged<void*, void> Free;
    public readonly delegate* unmanaged<void*, int, int> SetFd;
    public readonly delegate* unmanaged<void*, byte*, int> SetHost;
    public readonly delegate* unmanaged<void*, void*> Parameters;
    public readonly delegate* unmanaged<void*, byte*, int> SetAddress;
    public readonly delegate* unmanaged<void*, int> Connect;
    public readonly delegate* unmanaged<void*, byte*, int, int> Read;
    public readonly delegate* unmanaged<void*, byte*, int, int> Write;
    public readonly delegate* unmanaged<void*, int, int> GetError;
    public readonly delegate* unmanaged<void*, nint> VerifyResult;
    private readonly delegate* unmanaged<void*, int, nint, void*, nint> _contextControl;
    private readonly delegate* unmanaged<void*, int, nint, void*, nint> _control;
    private readonly delegate* unmanaged<nint, byte*> _verifyText;
    private readonly delegate* unmanaged<ulong> _error;
    private readonly delegate* unmanaged<ulong, byte*> _reason;
    private readonly delegate* unmanaged<void> _clear;

    private LibSsl(nint ssl, nint crypto)
    {
        ClientMethod = (delegate* unmanaged<void*>)NativeLibrary.GetExport(ssl, "TLS_client_method");
        ContextNew = (delegate* unmanaged<void*, void*>)NativeLibrary.GetExport(ssl, "SSL_CTX_new");
        DefaultVerifyPaths = (delegate* unmanaged<void*, int>)NativeLibrary.GetExport(ssl, "SSL_CTX_set_default_verify_paths");
        LoadVerifyLocations = (delegate* unmanaged<void*, byte*, byte*, int>)NativeLibrary.GetExport(ssl, "SSL_CTX_load_verify_locations");
        UseCertificateChain = (delegate* unmanaged<void*, byte*, int>)NativeLibrary.GetExport(ssl, "SSL_CTX_use_certificate_chain_file");
        UsePrivateKey = (delegate* unmanaged<void*, byte*, int, int>)NativeLibrary.GetExport(ssl, "SSL_CTX_use_PrivateKey_file");
        SetVerify = (delegate* unmanaged<void*, int, void*, void>)NativeLibrary.GetExport(ssl, "SSL_CTX_set_verify");
        New = (delegate* unmanaged<void*, void*>)NativeLibrary.GetExport(ssl, "SSL_new");
        Free = (delegate* unmanaged<void*, void>)NativeLibrary.GetExport(ssl, "SSL_free");
        SetFd = (delegate* unmanaged<void*, int, int>)NativeLibrary.GetExport(ssl, "SSL_set_fd");
        SetHost = (delegate* unmanaged<void*, byte*, int>)NativeLibrary.GetExport(ssl, "SSL_set1_host");
        Parameters = (delegate* unmanaged<void*, void*>)NativeLibrary.GetExport(ssl, "SSL_get0_param");
        SetAddress = (delegate* unmanaged<void*, byte*, int>)NativeLibrary.GetExport(crypto, "X509_VERIFY_PARAM_set1_ip_asc");
        Connect = (delegate* unmanaged<void*, int>)NativeLibrary.GetExport(ssl, "SSL_connect");
        Read = (delegate* unmanaged<void*, byte*, int, int>)NativeLibrary.GetExport(ssl, "SSL_read");
        Write = (delegate* unmanaged<void*, byte*, int, int>)NativeLibrary.GetExport(ssl, "SSL_write");
        GetError = (delegate* unmanaged<void*, int, int>)NativeLibrary.GetExport(ssl, "SSL_get_error");
        VerifyResult = (delegate* unmanaged<void*, nint>)NativeLibrary.GetExport(ssl, "SSL_get_verify_result");
        _contextControl = (delegate* unmanaged<void*, int, nint, void*, nint>)NativeLibrary.GetExport(ssl, "SSL_CTX_ctrl");
        _control = (delegate* unmanaged<void*, int, nint, void*, nint>)NativeLibrary.GetExport(ssl, "SSL_ctrl");
        _verifyText = (delegate* unmanaged<nint, byte*>)NativeLibrary.GetExport(crypto, "X509_verify_cert_error_string");
        _error = (delegate* unmanaged<ulong>)NativeLibrary.GetExport(crypto, "ERR_get_error");
        _reason = (delegate* unmanaged<ulong, byte*>)NativeLibrary.GetExport(crypto, "ERR_reason_error_string");
        _clear = (delegate* unmanaged<void>)NativeLibrary.GetExport(crypto, "ERR_clear_error");
    }

    /// <summary>Loads it; null where the machine has none.</summary>
    public static LibSsl? TryLoad() =>
        NativeLibrary.TryLoad("libssl.so.3", out nint ssl) && NativeLibrary.TryLoad("libcrypto.so.3", out nint crypto)
            ? new LibSsl(ssl, crypto) : null;

    /// <summary>No version below 1.2.</summary>
    public void RequireTls12(void* context) => _ = _contextControl(context, SetMinProtoVersion, Tls12, null);

    /// <summary>The name that a server with several is asked for.</summary>
    public void NameHost(void* ssl, byte* name) => _ = _control(ssl, SetHostName, 0, name);

    /// <summary>Forgets earlier errors of this thread.</summary>
    public void ClearErrors() => _clear();

    /// <summary>Why the other side was not believed, or what went wrong last.</summary>
    public string LastError(void* ssl)
    {
        nint verified = ssl == null ? 0 : VerifyResult(ssl);
        if (verified != 0)
            return "its certificate: " + Marshal.PtrToStringUTF8((nint)_verifyText(verified));
        return Marshal.PtrToStringUTF8((nint)_reason(_error())) ?? "the connection was closed";
    }
}
