using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using Spillway.Engine.Access;
using Spillway.Tests.App.Load;
using Spillway.Tests.Server;
using Spillway.Tests.Support;

namespace Spillway.Tests.Engine.Access;

/// <summary>The keys of an identity provider that is asked over HTTP, by a real server of this test.</summary>
public sealed class RemoteKeysTests : IAsyncLifetime, IDisposable
{
    /// <summary>Seconds: the clock makes large steps here.</summary>
    private const int FarAway = 1_000_000_000;

    private static readonly TimeSpan s_keep = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan s_pause = TimeSpan.FromSeconds(30);

    private readonly Issuer _issuer = new();
    private readonly ManualTimeProvider _time = new();
    private readonly AccessCounts _counts = new();
    private readonly ScriptedServer _provider;
    private SigningKeys _keys = null!;
    private TokenRing _tokens = null!;
    private byte[]? _answer;
    private int _asked;

    public RemoteKeysTests()
    {
        _answer = ScriptedServer.Ok(_issuer.Jwks());
        // A connection for each: one that is kept may end between two answers, which is no failure of the provider.
        _provider = new(_ =>
        {
            Interlocked.Increment(ref _asked);
            return Task.FromResult<byte[]?>(Volatile.Read(ref _answer));
        }, closing: true);
    }

    public async Task InitializeAsync()
    {
        _keys = Keys($"{_provider.Url}/keys");
        _tokens = new(
            new() { Issuer = Issuer.Name, Audience = Issuer.Audience, Jwks = _provider.Url }, _keys, [], _time);
        Assert.Null(await _keys.StartAsync());
        await AdvanceUntilAsync(() => _keys.Current.Count > 0);
    }

    public async Task DisposeAsync()
    {
        await _keys.DisposeAsync();
        await _provider.DisposeAsync();
    }

    public void Dispose() => _issuer.Dispose();

    [Fact]
    public async Task A_key_that_the_provider_begins_to_use_is_taken_and_one_that_it_takes_back_is_gone()
    {
        using var next = new Issuer();
        var (old, fresh) = (Token(), Issuer.Sign("RS256", "r1", Issuer.Claims(("exp", FarAway)), next.Rs256));
        Who(old);
        Refuses(fresh, "not valid here");
        Volatile.Write(ref _answer, ScriptedServer.Ok(next.Jwks()));
        var before = _keys.Current;
        await AdvanceUntilAsync(() => !ReferenceEquals(before, _keys.Current));
        Who(fresh);
        Refuses(old, "not valid here");
    }

    [Fact]
    public async Task However_many_unknown_keys_are_shown_the_provider_is_asked_once_in_half_a_minute()
    {
        // Asked just now, and not asked again before its pause is over.
        ShowUnknown(1);
        var asked = Volatile.Read(ref _asked);
        await AdvanceUntilAsync(() => Volatile.Read(ref _asked) > asked);
        await IdleAsync();
        asked++;
        for (var round = 1; round <= 3; round++)
        {
            ShowUnknown(100);

            _time.Advance(s_pause - TimeSpan.FromTicks(1));
            Assert.Equal(asked, Volatile.Read(ref _asked));
            _time.Advance(TimeSpan.FromTicks(1));
            await UntilAsync(() => Volatile.Read(ref _asked) > asked);
            await IdleAsync();
            Assert.Equal(++asked, Volatile.Read(ref _asked));
        }

        void ShowUnknown(int times)
        {
            for (var i = 0; i < times; i++)
            {
                Refuses(Issuer.Sign("RS256", $"unknown-{i}", Issuer.Claims(("exp", FarAway)), _issuer.Rs256),
                    "not known here");
            }
        }
    }

    [Theory]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n<html>")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n{\"keys\":[]}")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"keys\":[")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n{\"keys\":[")]
    [InlineData("HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n")]
    [InlineData("HTTP/1.1 204 None\r\n\r\n")]
    [InlineData("what is this\r\n\r\n")]
    [InlineData("")]
    public async Task An_answer_of_no_use_leaves_the_keys_before(string answer)
    {
        var before = _keys.Current;
        Volatile.Write(ref _answer, answer.Length == 0 ? null : Encoding.ASCII.GetBytes(answer));
        var failed = _counts.JwksReads.Failed;
        await AdvanceUntilAsync(() => _counts.JwksReads.Failed > failed);
        Assert.Same(before, _keys.Current);
        Who(Token());
    }

    [Fact]
    public async Task A_set_that_is_too_large_is_not_taken_whether_its_length_is_said_or_not()
    {
        var (before, large) = (_keys.Current, _issuer.Jwks() + new string(' ', KeySetReader.BytesMax));
        var untold = Encoding.ASCII.GetBytes($"HTTP/1.1 200 OK\r\n\r\n{large}");
        foreach (var answer in new[] { ScriptedServer.Ok(large), untold })
        {
            Volatile.Write(ref _answer, answer);
            var failed = _counts.JwksReads.Failed;
            await AdvanceUntilAsync(() => _counts.JwksReads.Failed > failed);
            Assert.Same(before, _keys.Current);
        }
    }

    [Fact]
    public async Task A_redirect_is_not_followed()
    {
        var followed = 0;
        using var other = new Issuer();
        await using var elsewhere = new ScriptedServer(_ =>
        {
            Interlocked.Increment(ref followed);
            return Task.FromResult<byte[]?>(ScriptedServer.Ok(other.Jwks()));
        });
        Volatile.Write(ref _answer, Encoding.ASCII.GetBytes(
            $"HTTP/1.1 302 Found\r\nLocation: {elsewhere.Url}/keys\r\nContent-Length: 0\r\n\r\n"));
        var (failed, before) = (_counts.JwksReads.Failed, _keys.Current);
        await AdvanceUntilAsync(() => _counts.JwksReads.Failed > failed);
        Assert.Equal(0, followed);
        Assert.Same(before, _keys.Current);
    }

    [Fact]
    public async Task A_provider_that_is_down_shuts_nobody_out_for_the_time_that_is_declared_and_everybody_then()
    {
        Volatile.Write(ref _answer, OtlpSink.Status(503));
        // The first reading in vain comes after five minutes, those behind it each half a minute.
        await AdvanceUntilAsync(() => _counts.JwksReads.Failed == 1);
        await IdleAsync();
        var first = _time.GetUtcNow();
        while (_keys.Current.Count > 0)
        {
            Who(Token());
            var failed = _counts.JwksReads.Failed;
            _time.Advance(s_pause);
            await UntilAsync(() => _counts.JwksReads.Failed > failed);
            await IdleAsync();
        }

        Assert.Equal(s_keep, _time.GetUtcNow() - first);
        Refuses(Token(), "has no keys of the identity provider now");
        Volatile.Write(ref _answer, ScriptedServer.Ok(_issuer.Jwks()));
        await AdvanceUntilAsync(() => _keys.Current.Count > 0);
        Who(Token());
    }

    [Fact]
    public async Task One_reading_in_vain_takes_no_keys_away_however_seldom_they_are_read()
    {
        await _keys.DisposeAsync();
        _keys = new($"{_provider.Url}/keys", TimeSpan.FromDays(1), TimeSpan.FromMinutes(1), _time, _counts,
            NullLogger.Instance);
        Assert.Null(await _keys.StartAsync());
        await AdvanceUntilAsync(() => _keys.Current.Count > 0);
        Volatile.Write(ref _answer, OtlpSink.Status(503));
        await IdleAsync();
        _time.Advance(s_pause);
        await IdleAsync();
        _time.Advance(TimeSpan.FromDays(1));
        await UntilAsync(() => _counts.JwksReads.Failed == 1);
        await IdleAsync();
        Assert.NotEqual(0, _keys.Current.Count);
    }

    [Fact]
    public async Task A_server_starts_and_stops_though_the_provider_never_answers()
    {
        var asked = new TaskCompletionSource();
        await using var silent = new ScriptedServer(_ =>
        {
            asked.TrySetResult();
            return new TaskCompletionSource<byte[]?>().Task;
        });
        var keys = Keys(silent.Url);
        Assert.Null(await keys.StartAsync());
        await asked.Task.WaitAsync(TestServer.Patience);
        Assert.Equal(0, keys.Current.Count);
        await keys.DisposeAsync();
    }

    private SigningKeys Keys(string place) =>
        new(place, TimeSpan.FromMinutes(5), s_keep, _time, _counts, NullLogger.Instance);

    private string Token() => _issuer.Token(("exp", FarAway));

    private void Who(string token) => Assert.Equal("team-a", _tokens.Identify(token, out _).Value.Tenant);

    private void Refuses(string token, string says)
    {
        var fault = _tokens.Identify(token, out _).Fault;
        Assert.Equal(FaultKind.Unauthenticated, fault?.Kind);
        Assert.Contains(says, fault!.Message, StringComparison.Ordinal);
    }

    /// <summary>The reader waits for the clock: it has set a timer, and reads nothing.</summary>
    private Task IdleAsync() => UntilAsync(() => _time.TimersSet > 0);

    private static Task UntilAsync(Func<bool> isSo) => TestServer.UntilAsync(async () =>
    {
        await Task.Yield();
        return isSo();
    });

    /// <summary>Each turn lets the reader go on once.</summary>
    private async Task AdvanceUntilAsync(Func<bool> isSo) => await UntilAsync(() =>
    {
        if (isSo())
            return true;
        if (_time.TimersSet > 0)
            _time.Advance(s_pause);
        return isSo();
    });
}
