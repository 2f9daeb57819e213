using System.Globalization;
using Spillway.Tests.Config;
using Spillway.Tests.Runtimes.Onnx;

namespace Spillway.Tests.Server.Sequences;

/// <summary>
/// Silero's voice detector (MIT licence), which the npm package of tests/clients brings: recurrent, its state is
/// [2, rows, 128], and it hears a sound in pieces of 512 samples.
/// </summary>
public sealed class VoiceModelTests
{
    private const int Piece = 512;
    private const int Pieces = 12;

    private static string Package => Repository.At("tests", "clients", "node_modules", "@ricky0123", "vad-web", "dist");

    [Theory]
    [InlineData("silero_vad_v5.onnx", "state", "stateN", 128)]
    [InlineData("silero_vad_v6.onnx", "state", "stateN", 128)]
    public async Task A_voice_model_whose_state_the_server_keeps_answers_as_with_a_state_that_is_carried_by_hand(
        string file, string input, string output, int width)
    {
        Assert.True(
            Directory.Exists(Package),
            "tests/clients is not installed: run `npm ci` there, or build the tests where Node.js 20 or newer is.");
        using var folder = Folder(file, $"sequences: {{ idleMs: 600000, state: [{{ input: {input}, output: {output}, "
            + $"shape: [2, 1, {width}] }}] }}");
        await using var server = await TestServer.StartAsync(folder.PathOf("spillway.yaml"));
        Assert.Equal(["input", "sr"], (await server.GetAsync("/v2/models/voice")).Json.GetProperty("inputs")
            .EnumerateArray().Select(i => i.GetProperty("name").GetString()!).Order());

        // Two sounds at once, piece by piece: neither hears the other.
        float[][] sounds = [Sound(seed: 1, pitch: 130), Sound(seed: 2, pitch: 0)];
        double[][] states = [new double[2 * width], new double[2 * width]];
        var heard = new List<double>();
        for (var piece = 0; piece < Pieces; piece++)
        {
            for (var sound = 0; sound < 2; sound++)
            {
                var part = sounds[sound][(piece * Piece)..((piece + 1) * Piece)];
                var flags = (piece == 0 ? ",\"sequence_start\":true" : "")
                    + (piece == Pieces - 1 ? ",\"sequence_end\":true" : "");
                var kept = await AskAsync(server, "voice", part,
                    parameters: $"\"parameters\":{{\"sequence_id\":\"sound-{sound}\"{flags}}},");
                var (byHand, next) = await CarryAsync(server, part, input, output, width, states[sound]);
                Assert.Equal(byHand, Probability(kept), 1e-6);
                Assert.DoesNotContain(output, kept.Text, StringComparison.Ordinal);
                states[sound] = next;
                heard.Add(byHand);
            }
        }

        // The state is what makes the difference: the last piece alone is heard otherwise.
        var (alone, _) = await CarryAsync(server, sounds[0][^Piece..], input, output, width, new double[2 * width]);
        Assert.True(Math.Abs(alone - heard[^2]) > 2e-5, $"{alone} alone, {heard[^2]} in its sequence");
        Assert.True(heard.Distinct().Count() > Pieces, "The model answers always the same.");
    }

    private static ConfigFolder Folder(string file, string sequences)
    {
        var folder = new ConfigFolder().Write("spillway.yaml", "server: { port: 0 }\nmodels: [voice, plain]\n");
        foreach (var (name, more) in new[] { ("voice", sequences), ("plain", "") })
        {
            folder.Write($"{name}/model.yaml",
                $"runtime: onnx\nonnx: {{ cache: off }}\ntypical: {{ input: [1, {Piece}] }}\n"
                + $"deadline: {{ floorMs: 60000 }}\n{more}\n");
            File.Copy(Path.Combine(Package, file), folder.PathOf($"{name}/model.onnx"));
        }

        return folder;
    }

    /// <summary>One piece with the state as one more input; what was heard, and the next state.</summary>
    private static async Task<(double Heard, double[] Next)> CarryAsync(
        TestServer server, float[] piece, string input, string output, int width, double[] state)
    {
        var given = $$"""
            ,{"name":"{{input}}","datatype":"FP32","shape":[2,1,{{width}}],"data":[{{List(state)}}]}
            """;
        var reply = await AskAsync(server, "plain", piece, given);
        return (Probability(reply), reply.Numbers(output));
    }

    private static async Task<Reply> AskAsync(
        TestServer server, string model, float[] piece, string more = "", string parameters = "")
    {
        var reply = await server.InferAsync(model, $$"""
            {{{parameters}}"inputs":[
             {"name":"input","datatype":"FP32","shape":[1,{{piece.Length}}],
              "data":[{{List(piece.Select(x => (double)x))}}]},
             {"name":"sr","datatype":"INT64","shape":[],"data":[16000]}{{more}}]}
            """);
        Assert.True(reply.Status == 200, reply.Text);
        return reply;
    }

    private static double Probability(Reply reply) => Assert.Single(reply.Numbers("output"));

    private static string List(IEnumerable<double> numbers) =>
        string.Join(',', numbers.Select(n => n.ToString("R", CultureInfo.InvariantCulture)));

    /// <summary>Noise, and with a pitch the overtones of a vowel that come and go five times a second.</summary>
    private static float[] Sound(int seed, double pitch)
    {
        var random = new Random(seed);
        return
        [
            .. Enumerable.Range(0, Piece * Pieces).Select(i =>
            {
                var time = i / 16_000.0;
                var voice = pitch == 0 ? 0 : Enumerable.Range(1, 12).Sum(n =>
                    Math.Sin(2 * Math.PI * pitch * n * time) / (1 + Math.Abs((pitch * n) - 700) / 300));
                var swell = 0.5 + (0.5 * Math.Sin(2 * Math.PI * 5 * time));
                return (float)((0.1 * voice * swell) + (0.01 * (random.NextDouble() - 0.5)));
            }),
        ];
    }
}
