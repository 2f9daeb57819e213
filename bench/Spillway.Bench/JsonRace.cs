using System.Runtime.InteropServices;
using System.Text.Json;
using Spillway.Protocols.OpenInference;

namespace Spillway.Bench;

/// <summary>
/// A JSON tensor of 46,080 floats (a picture of 3 x 48 x 320) through the server's request reader, and through a loop
/// of Utf8JsonReader over the same body. Both fill memory that is already there. CPU time of the process, in turns.
/// </summary>
internal static class JsonRace
{
    private static readonly int[] s_shape = [1, 3, 48, 320];
    private static readonly TimeSpan s_block = TimeSpan.FromSeconds(0.4);
    private static readonly Signature s_signature = new(
        [new("x", DataType.Float32, new([-1, 3, 48, -1]))],
        [new("y", DataType.Float32, new([-1, 10]))],
        Batched: true);

    public static async Task RunAsync(int rounds)
    {
        List<object> results = [];
        foreach (var (name, format) in new[] { ("shortest round-trip", "R"), ("4 decimals", "F4") })
            results.Add(await RaceAsync(name, ModelFiles.JsonRequest(s_shape, format, seed: 5), rounds));
        var floats = s_shape.Aggregate(1, static (a, b) => a * b);
        Report.Print(new { Floats = floats, Rounds = rounds, Payloads = results });
    }

    private static async Task<object> RaceAsync(string name, byte[] body, int rounds)
    {
        var (request, expected) = (new InferenceRequest(), new float[s_shape.Aggregate(1, static (a, b) => a * b)]);
        void Ours() => ReadOurs(body, request);
        void Theirs() => ReadTheirs(body, expected);
        // The second half of the warm-up runs what the tiered compiler made of the first.
        Spend(Ours);
        Spend(Theirs);
        await Task.Delay(TimeSpan.FromSeconds(0.5), TimeProvider.System);
        Spend(Ours);
        Spend(Theirs);
        List<(double Ours, double Theirs)> figures = [];
        for (var round = 0; round < rounds; round++)
            figures.Add((Spend(Ours), Spend(Theirs)));
        return new
        {
            Name = name,
            Bytes = body.Length,
            BitMismatches = Mismatches(request, expected),
            OursMicroseconds = Report.Spread(figures.Select(static f => f.Ours)),
            Utf8JsonReaderMicroseconds = Report.Spread(figures.Select(static f => f.Theirs)),
            Ratio = Report.Spread(figures.Select(static f => f.Theirs / f.Ours)),
        };
    }

    private static void ReadOurs(byte[] body, InferenceRequest into)
    {
        into.Reset();
        if (InferRequestReader.Read(body, null, s_signature, "race", into) is { } fault)
            throw new BenchException(fault.Message);
    }

    private static void ReadTheirs(byte[] body, float[] into)
    {
        var reader = new Utf8JsonReader(body);
        while (reader.Read() && !(reader.TokenType == JsonTokenType.PropertyName && reader.ValueTextEquals("data"u8)))
        {
        }

        var at = 0;
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            if (reader.TokenType == JsonTokenType.Number)
                into[at++] = reader.GetSingle();
        }

        while (reader.Read())
        {
        }
    }

    private static int Mismatches(InferenceRequest ours, float[] theirs)
    {
        var bits = MemoryMarshal.Cast<byte, int>(ours.Inputs[0].Data.Span);
        var differ = bits.Length == theirs.Length ? 0 : int.MaxValue;
        for (var i = 0; i < theirs.Length && differ < int.MaxValue; i++)
            differ += bits[i] == BitConverter.SingleToInt32Bits(theirs[i]) ? 0 : 1;
        return differ;
    }

    /// <summary>CPU microseconds of one call, over a block of calls.</summary>
    private static double Spend(Action read)
    {
        var (calls, began) = (0, Environment.CpuUsage.TotalTime);
        TimeSpan spent;
        do
        {
            for (var i = 0; i < 20; i++)
                read();
            calls += 20;
            spent = Environment.CpuUsage.TotalTime - began;
        }
        while (spent < s_block);
        return spent.TotalMicroseconds / calls;
    }
}
