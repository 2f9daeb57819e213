using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using Spillway.Engine.Access;
using Spillway.Policies.Identity;
using Spillway.Tests.Config;
using Spillway.Tests.Support;

namespace Spillway.Tests.Engine.Access;

/// <summary>A ring of keys on a file, with a clock that a test moves.</summary>
internal sealed class Ring : IAsyncDisposable
{
    private static readonly byte[] s_pepper = Encoding.ASCII.GetBytes("a pepper of more than sixteen bytes");

    private readonly ConfigFolder _folder = new();

    public Ring() => Keys = Open();

    public ManualTimeProvider Time { get; } = new();

    public AccessCounts Counts { get; } = new();

    public KeyRing Keys { get; private set; }

    public string File => _folder.PathOf("keys.db");

    /// <summary>As after a restart of the server.</summary>
    public async Task ReopenAsync()
    {
        await Keys.DisposeAsync();
        Keys = Open();
    }

    public Outcome<KeyRing> TryOpen(string pepper, params string[] tenants) => KeyRing.Open(
        File, new(Encoding.ASCII.GetBytes(pepper), tenants, Time, Counts, NullLogger.Instance));

    public IssuedKey Issue(KeyOrder? order = null) => Keys.Create(order ?? new() { Tenant = "team-a" }).Value;

    /// <summary>Who holds a text; throws when nobody does.</summary>
    public Caller Who(string text) => Keys.Identify(text, out _).Value;

    /// <summary>The text is refused for that reason.</summary>
    public string Refuses(string text, Refusal expected)
    {
        var fault = Keys.Identify(text, out var why).Fault;
        Assert.NotNull(fault);
        Assert.Equal(FaultKind.Unauthenticated, fault.Kind);
        Assert.Equal(expected, why);
        return fault.Message;
    }

    public async ValueTask DisposeAsync()
    {
        await Keys.DisposeAsync();
        _folder.Dispose();
    }

    private KeyRing Open() => KeyRing.Open(
        File, new(s_pepper, [], Time, Counts, NullLogger.Instance)).Value;
}
