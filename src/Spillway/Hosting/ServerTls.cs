using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Logging;
using Spillway.Policies.Identity;

namespace Spillway.Hosting;

/// <summary>
/// TLS of a server that listens itself: its certificate, read again when its files change, and which client
/// certificates are taken. A changed file that cannot be used leaves the certificate before in force, with a warning.
/// Thread-safe.
/// </summary>
public sealed partial class ServerTls : IAsyncDisposable
{
    private const string ClientAuthentication = "1.3.6.1.5.5.7.3.2";

    private static readonly TimeSpan s_look = TimeSpan.FromSeconds(30);

    private readonly TlsOptions _options;
    private readonly CancellationTokenSource _stop = new();
    private volatile SslServerAuthenticationOptions _current;
    private (DateTime Certificate, DateTime Key, DateTime Ca) _stamp;
    private Task _watching = Task.CompletedTask;

    private ServerTls(TlsOptions options, SslServerAuthenticationOptions current) =>
        (_options, _current, _stamp) = (options, current, Stamp(options));

    /// <summary>Of the next connection; protocols are the listener's to add, on a copy.</summary>
    public SslServerAuthenticationOptions Current => new()
    {
        ServerCertificateContext = _current.ServerCertificateContext,
        ClientCertificateRequired = _current.ClientCertificateRequired,
        RemoteCertificateValidationCallback = _current.RemoteCertificateValidationCallback,
        CertificateChainPolicy = _current.CertificateChainPolicy,
        CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
    };

    /// <summary>Reads the certificate.</summary>
    /// <param name="options">Validated; its paths are absolute.</param>
    /// <exception cref="SpillwayStartException">A file cannot be used; the message says which and why.</exception>
    public static ServerTls Open(TlsOptions options) => Read(options).TryGet(out var current, out var fault)
        ? new(options, current)
        : throw new SpillwayStartException(fault.Message);

    /// <summary>Begins to look after changed files.</summary>
    public void Watch(TimeProvider time, ILogger logger) => _watching = WatchAsync(time, logger);

    /// <summary>Reads the files again, if one has changed; false when what they hold cannot be used.</summary>
    internal bool Refresh(ILogger logger)
    {
        var stamp = Stamp(_options);
        if (stamp == _stamp)
            return true;
        if (!Read(_options).TryGet(out var fresh, out var fault))
        {
            Log.Kept(logger, fault.Message);
            return false;
        }

        (_current, _stamp) = (fresh, stamp);
        Log.Renewed(logger, fresh.ServerCertificateContext!.TargetCertificate.NotAfter);
        return true;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await _watching.ConfigureAwait(false);
        _stop.Dispose();
    }

    private async Task WatchAsync(TimeProvider time, ILogger logger)
    {
        using var timer = new PeriodicTimer(s_look, time);
        try
        {
            while (await timer.WaitForNextTickAsync(_stop.Token).ConfigureAwait(false))
                Refresh(logger);
        }
        catch (OperationCanceledException)
        {
            // The end.
        }
    }

    private static (DateTime, DateTime, DateTime) Stamp(TlsOptions options) => (
        File.GetLastWriteTimeUtc(options.Certificate),
        options.Key.Length > 0 ? File.GetLastWriteTimeUtc(options.Key) : default,
        options.ClientCa.Length > 0 ? File.GetLastWriteTimeUtc(options.ClientCa) : default);

    private static Outcome<SslServerAuthenticationOptions> Read(TlsOptions options)
    {
        byte[] password = [];
        if (options.Password.Length > 0 && !Secret.Read(options.Password, "access.tls.password")
            .TryGet(out password!, out var fault))
            return fault;
        try
        {
            var certificate = TlsFiles.Certificate(
                options, System.Text.Encoding.UTF8.GetString(password), out var chain);
            var mode = options.ClientCertificates;
            return new SslServerAuthenticationOptions
            {
                ServerCertificateContext = SslStreamCertificateContext.Create(certificate, chain, offline: true),
                ClientCertificateRequired = mode is not ClientCertificates.Off,
                CertificateChainPolicy = mode is ClientCertificates.Off ? null : Pinned(TlsFiles.All(options.ClientCa)),
                RemoteCertificateValidationCallback = (_, shown, _, errors) => shown is null
                    ? mode is not ClientCertificates.Required
                    : errors is SslPolicyErrors.None,
            };
        }
        catch (Exception failed) when (failed is CryptographicException or IOException or UnauthorizedAccessException
            or ArgumentException)
        {
            return new Fault(FaultKind.StoreFailed, $"The certificate of access.tls cannot be used: "
                + $"{failed.Message.TrimEnd('.')}. Check certificate ({options.Certificate}), key "
                + $"({(options.Key.Length > 0 ? options.Key : "in the same file")}), password and clientCa.");
        }
    }

    /// <summary>No authority of the machine's own store is trusted for clients.</summary>
    private static X509ChainPolicy Pinned(X509Certificate2Collection authorities)
    {
        var policy = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            RevocationMode = X509RevocationMode.NoCheck,
            DisableCertificateDownloads = true,
        };
        policy.CustomTrustStore.AddRange(authorities);
        policy.ApplicationPolicy.Add(new(ClientAuthentication));
        return policy;
    }

    private static partial class Log
    {
        [LoggerMessage(6001, LogLevel.Information, "The server's certificate was read again; it is good until {Until}")]
        public static partial void Renewed(ILogger logger, DateTime until);

        [LoggerMessage(6002, LogLevel.Warning,
            "The server's certificate has changed and cannot be used; the one before goes on: {Why}")]
        public static partial void Kept(ILogger logger, string why);
    }
}
