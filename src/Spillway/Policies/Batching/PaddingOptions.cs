namespace Spillway.Policies.Batching;

/// <summary>
/// How requests of different lengths run together: shorter ones are padded to the length of a bucket. One length a
/// model, such as the width of a line, the tokens of a text or the samples of a sound; every input that grows with it
/// is named here. The other variable dimensions must be equal, as without padding.
/// </summary>
public sealed record PaddingOptions
{
    /// <summary>
    /// The most buckets. Each is a shape that the runtime meets, a curve that is measured and a label in the metrics;
    /// 64 of them cover lengths from 1 to 10,000 with 15 % of padding at most.
    /// </summary>
    public const int BucketsMax = 64;

    /// <summary>The longest length that can be declared: 16 Mi positions are 17 minutes of sound at 16 kHz.</summary>
    public const int LengthMax = 16_777_216;

    /// <summary>The inputs that grow with the length.</summary>
    [Option("The inputs that grow with the length, by name. Those of one request must have the same length.",
        Required = true)]
    public IReadOnlyDictionary<string, PaddedInputOptions> Inputs { get; init; } =
        new Dictionary<string, PaddedInputOptions>();

    /// <summary>The lengths that runs have; empty derives them.</summary>
    [Option("The lengths that runs have, ascending. Without the key they are derived from min, max, step and wasteMax.",
        Unit = "positions", Min = 1, Max = LengthMax)]
    public IReadOnlyList<int> Buckets { get; init; } = [];

    /// <summary>The shortest usual length, for derived buckets.</summary>
    [Option("The shortest usual length, for derived buckets.", Unit = "positions", Min = 1, Max = LengthMax)]
    public int Min { get; init; } = 1;

    /// <summary>The longest usual length, for derived buckets; null when they are declared.</summary>
    [Option("The longest usual length, for derived buckets. Longer requests run unpadded, with their equals.",
        Unit = "positions", Min = 1, Max = LengthMax)]
    public int? Max { get; init; }

    /// <summary>Derived buckets are multiples of this.</summary>
    [Option("Derived buckets are multiples of this.", Unit = "positions", Min = 1, Max = 65_536,
        Source = "1 pads least; a model's stride keeps its outputs whole")]
    public int Step { get; init; } = 1;

    /// <summary>The most padding of one request, as a share of what runs; below 1.</summary>
    [Option("The largest share of padding in what runs of one request. One that would have more runs unpadded, with "
        + "its equals. Larger means fewer buckets and fuller batches.", Min = 0.01, Max = 0.95,
        Source = "half of it is the mean over even lengths: 7 %, less than batching must gain to be used (gainMin)")]
    public double WasteMax { get; init; } = 0.15;

    /// <summary>How far requests are padded: "bucket" or "longest".</summary>
    [Option("bucket: a request is always padded to its bucket, so its answer does not depend on who is in the run with "
        + "it. longest: only to the longest in the run, one alone not at all; for models that do not see padding.",
        OneOf = "bucket|longest")]
    public string To { get; init; } = "bucket";

    /// <summary>The input that tells real positions from padding.</summary>
    [Option("An input that the server makes: 1 for real positions, 0 for padding. Clients then do not send it.")]
    public PaddingMaskOptions? Mask { get; init; }

    /// <summary>The outputs that follow the length.</summary>
    [Option("The outputs that grow with the length, by name: cut back to what the request's own length gives.")]
    public IReadOnlyDictionary<string, TrimmedOutputOptions> Outputs { get; init; } =
        new Dictionary<string, TrimmedOutputOptions>();

    /// <summary>Whether buckets are declared and not derived.</summary>
    public bool IsDeclared => Buckets.Count > 0;
}

/// <summary>An input that is padded at its end.</summary>
public sealed record PaddedInputOptions
{
    /// <summary>Which dimension is the length.</summary>
    [Option("Which dimension is the length, counted from 0, the rows.", Min = 1, Max = Shape.RankMax - 1,
        Required = true)]
    public int Axis { get; init; }

    /// <summary>What padding is made of.</summary>
    [Option("What the padding holds. It must fit the input's type.")]
    public double Value { get; init; }
}

/// <summary>The mask that the server makes.</summary>
public sealed record PaddingMaskOptions
{
    /// <summary>Name of the model's input.</summary>
    [Option("Name of the model's input, numbers of shape [rows, length]; other dimensions must be 1.", Required = true)]
    public string Input { get; init; } = "";

    /// <summary>Which dimension is the length.</summary>
    [Option("Which of its dimensions is the length, counted from 0, the rows.", Min = 1, Max = Shape.RankMax - 1)]
    public int Axis { get; init; } = 1;
}

/// <summary>An output that is cut back.</summary>
public sealed record TrimmedOutputOptions
{
    /// <summary>Which dimension follows the length.</summary>
    [Option("Which dimension follows the length, counted from 0, the rows.", Min = 1, Max = Shape.RankMax - 1,
        Required = true)]
    public int Axis { get; init; }

    /// <summary>Input positions for each output position.</summary>
    [Option("Input positions for one output position: a request of length n keeps (n + plus) / per, rounded down.",
        Unit = "positions", Min = 1, Max = 65_536)]
    public int Per { get; init; } = 1;

    /// <summary>What is added to the length first.</summary>
    [Option("Added to the length before it is divided: per - 1 rounds up, per / 2 to the nearest; a convolution has "
        + "one of its own.", Unit = "positions", Min = -65_536, Max = 65_536)]
    public int Plus { get; init; }
}
