namespace Spillway.Telemetry;

/// <summary>Why a batch did not take more requests.</summary>
public enum CutReason : byte
{
    /// <summary>The request was never in a batch.</summary>
    None,

    /// <summary>The largest useful batch was reached.</summary>
    Full,

    /// <summary>The configured wait for a batch to fill was over.</summary>
    Wait,

    /// <summary>The queue was empty.</summary>
    Idle,

    /// <summary>A larger batch would have missed a deadline.</summary>
    Deadline,

    /// <summary>The next request has another shape.</summary>
    Shape,
}

/// <summary>Cut reasons as metric labels and in records.</summary>
internal static class CutReasons
{
    /// <summary>The label of a reason.</summary>
    public static string Label(this CutReason reason) => reason switch
    {
        CutReason.None => "none",
        CutReason.Full => "full",
        CutReason.Wait => "wait",
        CutReason.Idle => "idle",
        CutReason.Deadline => "deadline",
        CutReason.Shape => "shape",
    };

    /// <summary>The reason in words, after "cut because".</summary>
    public static string Words(this CutReason reason) => reason switch
    {
        CutReason.None => "nothing was recorded",
        CutReason.Full => "it was as large as is useful",
        CutReason.Wait => "the configured wait was over",
        CutReason.Idle => "the queue was empty",
        CutReason.Deadline => "a larger one would have missed a deadline",
        CutReason.Shape => "the next request has another shape",
    };
}
