// An application of its own with Spillway inside: `dotnet run`, then
//   curl 'http://127.0.0.1:5080/total?values=1&values=2'
//   curl http://127.0.0.1:5080/ai/v2/models/prices
using Spillway.Client;
using Spillway.Config;
using Spillway.Hosting;
using Spillway.Runtimes.Onnx;
using Spillway.Runtimes.Simulated;

var builder = WebApplication.CreateBuilder(args);

// The model "prices" is in appsettings.json; this one is made in code. Both are simulated and need no file.
builder.Services.AddSpillway(spillway =>
{
    spillway.Runtimes.AddOnnx(); // for models of runtime onnx, which need the native library of ONNX Runtime
    spillway.Models.Add(new ModelOptions
    {
        Name = "echo",
        Runtime = "simulated",
        RuntimeOptions = new SimulatedOptions
        {
            Inputs = new Dictionary<string, string> { ["x"] = "FP32 [-1,4]" },
            Outputs = new Dictionary<string, string> { ["y"] = "FP32 [-1,4]" },
            LatencyMs = new Dictionary<int, double> { [1] = 0.5, [8] = 1.0 },
        },
    });
    spillway.WaitForModels = true;
});

var app = builder.Build();

// Below /ai, beside the application's own paths. Only programs on this machine are answered there; with a check of
// your own: app.MapSpillway("/ai").RequireAuthorization(), and spillway.HostAuthenticatesCallers = true above.
app.MapSpillway("/ai");

// An endpoint of the application's own, which asks a model without a socket in between.
app.MapGet("/total", async (float[] values, IInferenceClient models, CancellationToken cancellation) =>
{
    var row = values.Concat(Enumerable.Repeat(0f, 4)).Take(4).ToArray();
    try
    {
        var reply = await models.InferAsync(
            new InferenceCall
            {
                Model = "echo",
                Inputs = [InferenceInput.Of("x", [1, 4], row)],
                Deadline = TimeSpan.FromSeconds(5),
            },
            cancellation);
        return Results.Ok(new { Total = reply["y"].As<float>().Sum(), reply.RequestId, reply.IsSimulated });
    }
    catch (InferenceException refused) when (refused.RetryAfter is not null)
    {
        return Results.Problem(refused.Message, statusCode: StatusCodes.Status503ServiceUnavailable);
    }
});

app.Run();
