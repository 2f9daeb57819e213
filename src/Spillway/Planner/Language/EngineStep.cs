namespace Spillway.Planner.Language;

/// <summary>A step in the air. Pooled by its engine.</summary>
internal sealed class EngineStep
{
    /// <summary>Who has a part in it.</summary>
    public List<Sequence> Parts { get; } = [];

    /// <summary>Who gets a token from it.</summary>
    public List<Sequence> Samples { get; } = [];

    /// <summary>What it computes.</summary>
    public StepWork Work { get; set; }

    /// <summary>When it enters the first stage.</summary>
    public Instant Begins { get; set; }

    /// <summary>When its tokens are there.</summary>
    public Instant Ends { get; set; }

    /// <summary>Empties it for the next use.</summary>
    public void Clear()
    {
        Parts.Clear();
        Samples.Clear();
        Work = default;
    }
}
