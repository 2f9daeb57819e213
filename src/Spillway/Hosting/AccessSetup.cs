using Microsoft.Extensions.Logging;
using Spillway.Config;
using Spillway.Engine.Access;
using Spillway.Policies.Identity;
using Spillway.Protocols.Access;
using Spillway.Store;
using Spillway.Store.Keys;

namespace Spillway.Hosting;

/// <summary>Puts together who may call, from the configuration and the state folder.</summary>
internal static class AccessSetup
{
    /// <summary>The gate; null where none is asked for, and then no file is touched.</summary>
    /// <exception cref="SpillwayStartException">Something it needs cannot be used.</exception>
    public static AccessGate? Build(Snapshot snapshot, ServerState state, TimeProvider time, ILoggerFactory logs)
    {
        var access = snapshot.Access;
        if (access.Keys is KeysMode.Off)
            return null;
        var (counts, logger) = (new AccessCounts(), logs.CreateLogger<KeyRing>());
        var keys = OpenKeys(snapshot, state.Folder, time, counts, logger).TryGet(out var opened, out var fault)
            ? opened : throw new SpillwayStartException(fault.Message);
        state.Own(keys);
        keys.Start();
        string[] tenants = [.. snapshot.Tenants.Keys];
        return new(access, keys, counts)
        {
            Tokens = access.Jwt is { } jwt ? OpenTokens(jwt, tenants, state, time, counts, logger) : null,
            Clients = access.Tls is { ClientCertificates: not ClientCertificates.Off } tls ? new(tls.Clients) : null,
        };
    }

    /// <summary>The keys of a state folder.</summary>
    public static Outcome<KeyRing> OpenKeys(
        Snapshot snapshot, StateFolder folder, TimeProvider time, AccessCounts counts, ILogger logger)
    {
        var file = folder.FileOf(KeyStore.FileName);
        var reference = snapshot.Access.Pepper;
        var read = reference.Length > 0
            ? Secret.Read(reference, "access.pepper")
            : PepperFile.ReadOrMake(folder.FileOf(PepperFile.FileName), mayMake: !File.Exists(file));
        if (!read.TryGet(out var pepper, out var fault))
            return fault;
        if (pepper.Length < KeyDigest.PepperBytesMin)
        {
            return new Fault(FaultKind.StoreFailed, $"The pepper of the keys has {pepper.Length} bytes; it needs "
                + $"{KeyDigest.PepperBytesMin} or more. Make one: head -c 32 /dev/urandom | base64.");
        }

        return KeyRing.Open(file, new(pepper, [.. snapshot.Tenants.Keys], time, counts, logger));
    }

    private static TokenRing OpenTokens(
        JwtOptions jwt, string[] tenants, ServerState state, TimeProvider time, AccessCounts counts, ILogger logger)
    {
        var keys = new SigningKeys(
            jwt.Jwks, TimeSpan.FromMilliseconds(jwt.JwksRefreshMs), TimeSpan.FromMilliseconds(jwt.JwksKeepMs), time,
            counts, logger);
        state.Own(keys);
        // At the start only, and of a file only: nothing to wait for.
        if (keys.StartAsync().GetAwaiter().GetResult() is { } fault)
            throw new SpillwayStartException(fault.Message);
        return new(jwt, keys, tenants, time);
    }
}
