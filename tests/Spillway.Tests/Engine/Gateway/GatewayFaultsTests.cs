using System.Net;
using System.Text;
using Spillway.Engine.Gateway;
using Spillway.Policies.Breaking;
using Spillway.Policies.Retry;

namespace Spillway.Tests.Engine.Gateway;

/// <summary>What the refusals of an upstream mean.</summary>
public sealed class GatewayFaultsTests
{
    private static UpstreamRefusal Of(int status, string body = """{"error":{"message":"no"}}""")
    {
        using var response = new HttpResponseMessage((HttpStatusCode)status);
        return GatewayFaults.Of("u/t", response, Encoding.UTF8.GetBytes(body), DateTimeOffset.UnixEpoch);
    }

    [Theory]
    [InlineData(404)]
    [InlineData(405)]
    [InlineData(415)]
    [InlineData(451)]
    [InlineData(501)]
    public void What_an_upstream_stands_by_is_neither_repeated_nor_held_against_it(int status)
    {
        var refusal = Of(status);

        Assert.Equal(Mending.Never, RetryTable.Of(refusal.Fault.Kind));
        Assert.Equal(TargetSign.Well, BreakerTable.Of(refusal.Fault.Kind));
        Assert.True(refusal.ToldNot);
    }

    [Theory]
    [InlineData(409)]
    [InlineData(425)]
    [InlineData(500)]
    [InlineData(502)]
    public void What_may_pass_is_repeated(int status)
    {
        var refusal = Of(status);

        Assert.Equal(Mending.Transient, RetryTable.Of(refusal.Fault.Kind));
        Assert.False(refusal.ToldNot);
    }

    [Fact]
    public void A_403_about_a_prompt_is_the_callers_and_not_the_keys()
    {
        var prompt = Of(403, """{"error":{"message":"no","code":"content_policy_violation"}}""");
        var key = Of(403);

        Assert.Equal((false, true, FaultKind.InvalidInput), (prompt.IsKeys, prompt.IsCallers, prompt.Fault.Kind));
        Assert.Equal((true, false, FaultKind.UpstreamFailed), (key.IsKeys, key.IsCallers, key.Fault.Kind));
    }

    [Fact]
    public void A_key_without_money_is_told_apart_from_one_that_is_too_busy()
    {
        var spent = Of(429, """{"error":{"message":"no","code":"insufficient_quota"}}""");

        Assert.Equal((true, true), (spent.IsSpent, spent.ToldNot));
        Assert.Equal((false, false), (Of(429).IsSpent, Of(429).ToldNot));
    }
}
