namespace Spillway.Transforms.Text;

/// <summary>How a model's class scores become the best labels.</summary>
public sealed record TopKOptions
{
    /// <summary>The model's output float32 [batch, classes].</summary>
    [Option("The model's output, float32 [batch, classes]. Empty takes the only one.")]
    public string From { get; init; } = "";

    /// <summary>File with one label a line.</summary>
    [Option("File with one label a line, relative to model.yaml, or npm:<package>/<file>.", Required = true)]
    public string Labels { get; init; } = "";

    /// <summary>How many of the best.</summary>
    [Option("How many of the best labels to give; at most the number of classes.", Unit = "labels",
        Min = 1, Max = 1000)]
    public int K { get; init; } = 5;

    /// <summary>Whether scores are logits, to be turned into probabilities.</summary>
    [Option("Whether the scores are logits that a softmax turns into probabilities.")]
    public bool Softmax { get; init; }

    /// <summary>Name of the BYTES [-1, k] output.</summary>
    [Option("Name of the BYTES [-1,k] output that carries the labels.")]
    public string Label { get; init; } = "label";

    /// <summary>Name of the FP32 [-1, k] output.</summary>
    [Option("Name of the FP32 [-1,k] output that carries the scores.")]
    public string Score { get; init; } = "score";
}
