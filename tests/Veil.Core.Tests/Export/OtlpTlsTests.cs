// SPDX-License-Identifier: GPL-3.0-only
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Veil.Core.Export;

namespace Veil.Core.Tests.Export;

/// <summary>Whom a connection by TLS believes.</summary>
public sealed class OtlpTlsTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("veil-tls-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("localhost")]
    [InlineData("127.0.0.1")]
    public void Post_CertificateOfTheHost_IsBelieved(string host) => Post(host, "localhost").Status.ShouldBe(200);

    [Fact]
    public void Post_UnknownAuthority_IsNotBelieved() =>
        Should.Throw<HttpFailure>(() => Post("localhost", "localhost", isTrusted: false)).Message.ShouldContain("its certificate: self-signed certificate");

    [Fact]
    public void Post_CertificateOfAnotherHost_IsNotBelieved() =>
        Should.Throw<HttpFailure>(() => Post("localhost", "other.example")).Message.ShouldContain("its certificate: hostname mismatch");

    [Fact]
    public void Open_FileThatIsNone_IsAnError() =>
        Should.Throw<UsageException>(() => Parse("localhost", 1, _folder + "/none")).Message
            .ShouldBe($"OTEL_EXPORTER_OTLP_CERTIFICATE: {_folder}/none: no such file");

    private HttpAnswer Post(string host, string name, bool isTrusted = true)
    {
        using var certificate = Make(name);
        using var receiver = new OtlpReceiver(certificate);
        string trusted = Path.Combine(_folder, "trusted.pem");
        File.WriteAllText(trusted, certificate.ExportCertificatePem());
        var (options, tls) = Parse(host, receiver.Port, isTrusted ? trusted : null);
        using var channel = new HttpChannel(options.Url, tls, timeoutMs: 10_000);
        return channel.Post("/v1/logs", "", new byte[100_000]);
    }

    private static (OtlpOptions Options, TlsClient Tls) Parse(string host, int port, string? trusted)
    {
        var options =
            OtlpOptions.Parse("--otlp", $"https://{host}:{port}", variable => variable == "OTEL_EXPORTER_OTLP_CERTIFICATE" ? trusted : null);
        return (options, new TlsClient(options));
    }

    private static X509Certificate2 Make(string name)
    {
        using var key = RSA.Create(2048);
        var request = new CertificateRequest("CN=" + name, key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(name);
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, hasPathLengthConstraint: false, 0, critical: true));
        return request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
    }
}
