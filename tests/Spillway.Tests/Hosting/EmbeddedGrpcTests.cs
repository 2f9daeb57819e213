using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Spillway.Hosting;
using Spillway.Tests.Protocols.Grpc;

namespace Spillway.Tests.Hosting;

/// <summary>gRPC among the endpoints of somebody's own application.</summary>
public sealed class EmbeddedGrpcTests
{
    [Theory]
    [InlineData("")]
    [InlineData("/ai")]
    public async Task Calls_are_answered_over_HTTP_2_beside_REST_whatever_the_prefix(string prefix)
    {
        await using var app = await StartAsync(o => { }, map: app => app.MapSpillway(prefix));
        var reply = await app.Http.InferAsync(Proto.Row("echo", "mine"), ("x-request-id", "inside-1"));
        Assert.Equal("mine", Proto.TextOf(reply.Message, 3));
        Assert.Equal("inside-1", reply.Header("x-request-id"));
        var live = await app.Http.CallAsync(GrpcCalls.Service + "ServerLive", []);
        Assert.Equal(1, BitConverter.ToInt64(Proto.Field(live.Message, 1)));
        Assert.Equal(0, (await app.Http.CallAsync("/grpc.health.v1.Health/Check", [])).Status);
        Assert.Equal(200, await app.StatusAsync($"{prefix}/v2/health/ready"));
        Assert.Equal(200, await app.StatusAsync($"{prefix}/admin/v1/requests/inside-1"));
    }

    [Fact]
    public async Task Without_the_option_there_is_no_such_path()
    {
        await using var app = await EmbeddedApp.StartAsync(
            o => o.Models.Add(EmbeddedApp.Model("echo")), protocols: HttpProtocols.Http2);
        Assert.Equal(404, (await app.Http.InferAsync(Proto.Row("echo", "mine"))).HttpStatus);
    }

    [Fact]
    public async Task Over_HTTP_1_1_a_call_is_told_what_it_needs()
    {
        await using var app = await EmbeddedApp.StartAsync(o =>
        {
            o.Models.Add(EmbeddedApp.Model("echo"));
            o.MapGrpc = true;
        });
        using var answer = await app.Http.PostAsync(
            GrpcCalls.Service + "ModelInfer", new ByteArrayContent(Proto.Frame(Proto.Row("echo", "mine"))));
        Assert.Equal(StatusCodes.Status426UpgradeRequired, (int)answer.StatusCode);
    }

    [Fact]
    public async Task Foreign_hosts_stay_outside_here_too_and_conventions_hold()
    {
        await using (var app = await StartAsync(o => { }))
        {
            (await app.Http.InferAsync(Proto.Row("echo", "mine"), ("Host", "models.example")))
                .Is(7, "is not a loopback name");
        }

        await using (var open = await StartAsync(o => o.HostAuthenticatesCallers = true))
            Assert.Equal(0, (await open.Http.InferAsync(Proto.Row("echo", "mine"), ("Host", "models.example"))).Status);

        await using var elsewhere = await StartAsync(
            o => { }, map: app => app.MapSpillway().RequireHost("inside.example"));
        Assert.Equal(404, (await elsewhere.Http.InferAsync(Proto.Row("echo", "mine"))).HttpStatus);
    }

    [Fact]
    public async Task The_servers_limits_hold_and_a_stream_ends_well()
    {
        await using var app = await StartAsync(
            o => { }, settings: """{"Spillway":{"Server":{"BodyBytesMax":65536}}}""");
        (await app.Http.InferAsync([.. Proto.Row("echo", "mine"), .. new byte[70_000]])).Is(8, "bodyBytesMax");
        await using var call = await GrpcStreamCall.OpenAsync(app.Http.BaseAddress!);
        for (var i = 0; i < 3; i++)
        {
            await call.SendAsync(Proto.Row("echo", $"{i}"));
            Assert.Equal($"{i}", Proto.TextOf(Proto.Field((await call.NextAsync())!, 2), 3));
        }

        call.End();
        await call.EndsAsync(0);
    }

    private static Task<EmbeddedApp> StartAsync(
        Action<SpillwayHostOptions> configure, string settings = "{}", Action<WebApplication>? map = null) =>
        EmbeddedApp.StartAsync(
            o =>
            {
                o.Models.Add(EmbeddedApp.Model("echo"));
                o.MapGrpc = true;
                configure(o);
            },
            settings, map, HttpProtocols.Http2);
}
