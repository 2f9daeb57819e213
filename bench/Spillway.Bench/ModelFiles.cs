using System.Globalization;
using System.Text;
using Spillway.Shared;

namespace Spillway.Bench;

/// <summary>The generated inputs of the benchmarks. The same call always writes the same bytes.</summary>
internal static class ModelFiles
{
    /// <summary>x FP32 [-1,784] of both generated models.</summary>
    public const int InputWidth = 784;

    /// <summary>
    /// Writes the models and one JSON request for them, its numbers with four decimals (5.9 kB): pixels and other
    /// measured features are sent so.
    /// </summary>
    public static void Write(string folder)
    {
        Directory.CreateDirectory(folder);
        Save(Path.Combine(folder, "mlp.onnx"), OnnxModels.Mlp());
        Save(Path.Combine(folder, "tiny.onnx"), OnnxModels.Tiny());
        Save(Path.Combine(folder, "recurrent.onnx"), OnnxModels.Recurrent());
        Save(Path.Combine(folder, "row.json"), JsonRequest([1, InputWidth], "F4", seed: 3));
    }

    /// <summary>An infer request in JSON with random numbers from 0 to 1 in the given format.</summary>
    public static byte[] JsonRequest(int[] shape, string format, int seed)
    {
        var random = new Random(seed);
        var count = shape.Aggregate(1, static (product, dim) => product * dim);
        var text = new StringBuilder()
            .Append(CultureInfo.InvariantCulture, $$"""{"inputs":[{"name":"x","shape":[{{string.Join(',', shape)}}],""")
            .Append("\"datatype\":\"FP32\",\"data\":[");
        for (var i = 0; i < count; i++)
            text.Append(i == 0 ? "" : ",").Append(random.NextSingle().ToString(format, CultureInfo.InvariantCulture));
        return Encoding.UTF8.GetBytes(text.Append("]}]}").ToString());
    }

    /// <summary>An unchanged file keeps its time stamp and its place in the page cache.</summary>
    private static void Save(string path, byte[] bytes)
    {
        if (!File.Exists(path) || !File.ReadAllBytes(path).AsSpan().SequenceEqual(bytes))
            File.WriteAllBytes(path, bytes);
    }
}
