using System.Buffers.Binary;

namespace Spillway.Shared;

/// <summary>The generated models that tests and benchmarks share. The same call always gives the same bytes.</summary>
public static class OnnxModels
{
    /// <summary>
    /// x FP32 [-1,784] -> y FP32 [-1,10], three hidden layers of 1024: 11.65 MB of weights, so a run of one row is
    /// bound by reading them and batching gains about fourfold.
    /// </summary>
    public static byte[] Mlp() => Dense(seed: 7, 784, 1024, 1024, 1024, 10);

    /// <summary>x FP32 [-1,784] -> y FP32 [-1,10]: a run of one row takes about 15 µs, so a server's own cost shows.</summary>
    public static byte[] Tiny() => Dense(seed: 11, 784, 256, 128, 10);

    /// <summary>x -> y of that element type, [-1,4].</summary>
    public static byte[] Identity(int type) => new OnnxWriter()
        .Input("x", type, "N", 4).Output("y", type, "N", 4).Node("Identity", "x", "y").ToModel();

    /// <summary>x FP32 [-1,4] -> y FP32 [-1,4], x + w: w, 16 bytes, lies in another file.</summary>
    public static byte[] External(string location, bool external = true) => new OnnxWriter()
        .Input("x", OnnxWriter.Float, "N", 4).Output("y", OnnxWriter.Float, "N", 4)
        .WeightsIn(location, "w", [4], external).Node("Add", "x w", "y").ToModel();

    /// <summary>Triton's "simple": INPUT0, INPUT1 INT32 [-1,16] -> OUTPUT0 their sum, OUTPUT1 their difference.</summary>
    public static byte[] Simple() => new OnnxWriter()
        .Input("INPUT0", OnnxWriter.Int32, "N", 16).Input("INPUT1", OnnxWriter.Int32, "N", 16)
        .Output("OUTPUT0", OnnxWriter.Int32, "N", 16).Output("OUTPUT1", OnnxWriter.Int32, "N", 16)
        .Node("Add", "INPUT0 INPUT1", "OUTPUT0").Node("Sub", "INPUT0 INPUT1", "OUTPUT1").ToModel();

    /// <summary>a, b FP32 [2,3] -> c FP32 [2,3], their sum; no batch dimension.</summary>
    public static byte[] Fixed() => new OnnxWriter()
        .Input("a", OnnxWriter.Float, 2, 3).Input("b", OnnxWriter.Float, 2, 3).Output("c", OnnxWriter.Float, 2, 3)
        .Node("Add", "a b", "c").ToModel();

    /// <summary>
    /// n INT64 [], x FP32 [4] -> y FP32 [4]: a loop that adds 1 to x n times, so n decides how long a run takes
    /// (about a microsecond each turn). For tests of stopping.
    /// </summary>
    public static byte[] Loop()
    {
        var body = new OnnxWriter("body")
            .Input("turn", OnnxWriter.Int64).Input("go", OnnxWriter.Bool).Input("state", OnnxWriter.Float, 4)
            .Output("go_on", OnnxWriter.Bool).Output("next", OnnxWriter.Float, 4)
            .Weights("one", OnnxWriter.Float, BitConverter.GetBytes(1f), 1)
            .Node("Identity", "go", "go_on").Node("Add", "state one", "next");
        return new OnnxWriter()
            .Input("n", OnnxWriter.Int64).Input("x", OnnxWriter.Float, 4).Output("y", OnnxWriter.Float, 4)
            .Node("Loop", "n - x", "y", ("body", body)).ToModel();
    }

    /// <summary>x FP32 [-1,4] -> y FP32 [-1,4]: declares a batch dimension, but gives the first row only.</summary>
    public static byte[] Liar() => new OnnxWriter()
        .Input("x", OnnxWriter.Float, "N", 4).Output("y", OnnxWriter.Float, "M", 4)
        .Weights("from", OnnxWriter.Int64, BitConverter.GetBytes(0L), 1).Weights("to", OnnxWriter.Int64, BitConverter.GetBytes(1L), 1)
        .Node("Slice", "x from to", "y").ToModel();

    /// <summary>i INT64 [-1,1] -> y FP32 [-1,1,2]: looks up a row of a table of four, so 4 and above is out of range.</summary>
    public static byte[] Lookup()
    {
        var table = new byte[8 * sizeof(float)];
        for (var i = 0; i < 8; i++)
            BinaryPrimitives.WriteSingleLittleEndian(table.AsSpan(i * sizeof(float)), i);
        return new OnnxWriter()
            .Input("i", OnnxWriter.Int64, "N", 1).Output("y", OnnxWriter.Float, "N", 1, 2)
            .Weights("table", OnnxWriter.Float, table, 4, 2).Node("Gather", "table i", "y").ToModel();
    }

    /// <summary>
    /// m FP32 [-1,-1], x FP32 [-1,-1] -> twice FP32 [-1,-1], twice x; mean FP32 [-1,1], the mean of x where m is 1. For
    /// tests of padding: without its mask the mean would see it.
    /// </summary>
    public static byte[] MaskedMean() => new OnnxWriter()
        .Input("m", OnnxWriter.Float, "N", "W").Input("x", OnnxWriter.Float, "N", "W")
        .Output("twice", OnnxWriter.Float, "N", "W").Output("mean", OnnxWriter.Float, "N", 1)
        .Weights("axis", OnnxWriter.Int64, BitConverter.GetBytes(1L), 1)
        .Node("Add", "x x", "twice").Node("Mul", "x m", "kept").Node("ReduceSum", "kept axis", "sum")
        .Node("ReduceSum", "m axis", "count").Node("Div", "sum count", "mean").ToModel();

    /// <summary>
    /// x FP32 [-1,2,-1] -> twice FP32 [-1,2,-1], twice x; half FP32 [-1,2,-1], means of pairs, half as long.
    /// </summary>
    public static byte[] Planes() => new OnnxWriter()
        .Input("x", OnnxWriter.Float, "N", 2, "W")
        .Output("twice", OnnxWriter.Float, "N", 2, "W").Output("half", OnnxWriter.Float, "N", 2, "V")
        .Node("Add", "x x", "twice")
        .Node("AveragePool", "x", "half", ("kernel_shape", new[] { 2L }), ("strides", new[] { 2L })).ToModel();

    /// <summary>
    /// x FP32 [-1,1], s FP32 [-1,1] -> y FP32 [-1,1], next FP32 [-1,1], both x + s; with flags also first, id [-1,1]
    /// and y = x + s + 1000 first + 10000 id.
    /// </summary>
    public static byte[] Sum(bool flags = false)
    {
        var writer = new OnnxWriter().Input("x", OnnxWriter.Float, "N", 1).Input("s", OnnxWriter.Float, "N", 1)
            .Output("y", OnnxWriter.Float, "N", 1).Output("next", OnnxWriter.Float, "N", 1).Node("Add", "x s", "next");
        if (!flags)
            return writer.Node("Identity", "next", "y").ToModel();
        return writer.Input("first", OnnxWriter.Float, "N", 1).Input("id", OnnxWriter.Int64, "N", 1)
            .Weights("thousand", OnnxWriter.Float, BitConverter.GetBytes(1000f), 1)
            .Weights("ten", OnnxWriter.Float, BitConverter.GetBytes(10000f), 1)
            .Node("Cast", "id", "number", ("to", OnnxWriter.Float)).Node("Mul", "number ten", "named")
            .Node("Mul", "first thousand", "marked").Node("Add", "next marked", "part").Node("Add", "part named", "y")
            .ToModel();
    }

    /// <summary>
    /// x FP32 [1,1], s FP32 [2,-1,1] -> y FP32 [2,-1,1], next the same: x + s. Its rows are the second dimension of the
    /// state, as in recurrent voice models.
    /// </summary>
    public static byte[] Layers() => new OnnxWriter().Input("x", OnnxWriter.Float, 1, 1)
        .Input("s", OnnxWriter.Float, 2, "N", 1).Output("y", OnnxWriter.Float, 2, "N", 1)
        .Output("next", OnnxWriter.Float, 2, "N", 1).Node("Add", "x s", "next").Node("Identity", "next", "y").ToModel();

    /// <summary>
    /// x FP32 [-1,-1,16] -> y FP32 [-1,-1,4]: a recurrent net of 256 units that reads a sequence step by step. Each
    /// step reads a megabyte of weights, for one sequence or for all of a batch, and sequences have any length. What
    /// stands behind a position does not change it.
    /// </summary>
    public static byte[] Recurrent()
    {
        const int Inputs = 16, Units = 256, Outputs = 4;
        var (random, limit) = (new Random(13), 1 / MathF.Sqrt(Units));
        return new OnnxWriter()
            .Input("x", OnnxWriter.Float, "N", "W", Inputs).Output("y", OnnxWriter.Float, "N", "W", Outputs)
            .RandomWeights("w", random, limit, 1, 4 * Units, Inputs)
            .RandomWeights("r", random, limit, 1, 4 * Units, Units)
            .RandomWeights("o", random, limit, Units, Outputs)
            .Weights("direction", OnnxWriter.Int64, BitConverter.GetBytes(1L), 1)
            .Node("Transpose", "x", "steps", ("perm", new[] { 1L, 0, 2 }))
            .Node("LSTM", "steps w r", "states", ("hidden_size", Units)).Node("Squeeze", "states direction", "hidden")
            .Node("Transpose", "hidden", "rows", ("perm", new[] { 1L, 0, 2 })).Node("MatMul", "rows o", "y").ToModel();
    }

    /// <summary>Fully connected layers with ReLU between them, weights scaled so that values keep their size.</summary>
    private static byte[] Dense(int seed, params int[] widths)
    {
        var random = new Random(seed);
        var writer = new OnnxWriter().Input("x", OnnxWriter.Float, "N", widths[0]).Output("y", OnnxWriter.Float, "N", widths[^1]);
        var from = "x";
        for (var i = 1; i < widths.Length; i++)
        {
            var (last, sum) = (i == widths.Length - 1, $"h{i}");
            writer.RandomWeights($"w{i}", random, MathF.Sqrt(6f / widths[i - 1]), widths[i - 1], widths[i])
                .RandomWeights($"b{i}", random, 0.1f, widths[i])
                .Node("Gemm", $"{from} w{i} b{i}", last ? "y" : sum);
            if (!last)
                writer.Node("Relu", sum, $"r{i}");
            from = $"r{i}";
        }

        return writer.ToModel();
    }
}
