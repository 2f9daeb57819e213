namespace Spillway.Planner.Diagnosis;

/// <summary>What a part of a request's time is spent on.</summary>
internal enum StageKind
{
    /// <summary>Bytes on their way.</summary>
    Network,

    /// <summary>Waiting for somebody else's work to end.</summary>
    Queue,

    /// <summary>Reading the prompt: arithmetic.</summary>
    Prefill,

    /// <summary>Writing the answer: reading weights for each token.</summary>
    Decode,

    /// <summary>A run of a model.</summary>
    Execute,

    /// <summary>Moving and converting what goes in and comes out.</summary>
    Data,

    /// <summary>Starting what was not there.</summary>
    ColdStart,
}

/// <summary>Tells from a name what a part is, by the words that people and Spillway's own records use.</summary>
internal static class StageKinds
{
    private static readonly (string Word, StageKind Kind)[] s_words =
    [
        ("cold", StageKind.ColdStart), ("boot", StageKind.ColdStart), ("start", StageKind.ColdStart),
        ("prefill", StageKind.Prefill), ("prompt", StageKind.Prefill),
        ("decode", StageKind.Decode), ("generat", StageKind.Decode),
        ("queu", StageKind.Queue), ("wait", StageKind.Queue), ("batch", StageKind.Queue),
        ("net", StageKind.Network), ("receive", StageKind.Network), ("write-back", StageKind.Network),
        ("upload", StageKind.Network), ("download", StageKind.Network),
        ("exec", StageKind.Execute), ("model", StageKind.Execute), ("infer", StageKind.Execute),
        ("compute", StageKind.Execute), ("gpu", StageKind.Execute), ("run", StageKind.Execute),
    ];

    /// <summary>What the part is; what no word tells is moving data.</summary>
    public static StageKind Of(string name)
    {
        foreach (var (word, kind) in s_words)
        {
            if (name.Contains(word, StringComparison.OrdinalIgnoreCase))
                return kind;
        }

        return StageKind.Data;
    }
}
