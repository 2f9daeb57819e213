using Spillway.Config;
using Spillway.Transforms.Text;

namespace Spillway.Engine.Doors;

/// <summary>Makes the stage behind a model from its declaration.</summary>
internal static class OutputStages
{
    /// <summary>The stage, null when the model's own outputs are served; or the fault of its label file.</summary>
    public static Fault? Make(OutputOptions options, out IOutputStage? stage)
    {
        stage = null;
        var (file, spaceLast) = options switch
        {
            { Ctc: { } ctc } => (ctc.Labels, ctc.SpaceLast),
            { TopK: { } top } => (top.Labels, false),
            _ => ("", false),
        };
        if (file.Length == 0)
            return null;
        if (!LabelFile.Load(file, spaceLast).TryGet(out var labels, out var fault))
            return fault;
        stage = options.Ctc is { } text ? new CtcOutput(text, labels) : new TopKOutput(options.TopK!, labels);
        return null;
    }
}
