namespace Spillway.Transforms.Text;

/// <summary>How a model's per-step class scores become text: greedy CTC.</summary>
public sealed record CtcOptions
{
    /// <summary>The model's output float32 [batch, steps, classes].</summary>
    [Option("The model's output, float32 [batch, steps, classes]. Empty takes the only one.")]
    public string From { get; init; } = "";

    /// <summary>File with one label a line.</summary>
    [Option("File with one label a line, relative to model.yaml, or npm:<package>/<file>.", Required = true)]
    public string Labels { get; init; } = "";

    /// <summary>Whether a space follows the file's labels as the last class.</summary>
    [Option("Whether a space follows the file's labels as the last class.")]
    public bool SpaceLast { get; init; } = true;

    /// <summary>Name of the BYTES [-1] output.</summary>
    [Option("Name of the BYTES [-1] output that carries the text.")]
    public string Text { get; init; } = "text";

    /// <summary>Name of the FP32 [-1] output.</summary>
    [Option("Name of the FP32 [-1] output that carries the mean of the kept maxima.")]
    public string Confidence { get; init; } = "confidence";
}
