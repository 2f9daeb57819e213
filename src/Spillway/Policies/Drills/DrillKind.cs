namespace Spillway.Policies.Drills;

/// <summary>What a drill breaks.</summary>
public enum DrillKind
{
    /// <summary>Steps of a route's chain: each answers with a failure in place of its model.</summary>
    Steps,

    /// <summary>A target of an upstream: no connection to it comes about.</summary>
    TargetDead,

    /// <summary>A target of an upstream: each of its answers comes later.</summary>
    TargetSlow,

    /// <summary>A target of an upstream: each request is answered with 429.</summary>
    TargetThrottled,

    /// <summary>A replica of a model: the one that runs next, and each of its runs fails.</summary>
    Replica,

    /// <summary>Nothing: ten times the traffic comes, which whoever drills sends.</summary>
    Spike,

    /// <summary>The remembered answers of a route: all of them are forgotten, once.</summary>
    Cache,

    /// <summary>The disk: whatever would be written to the ledger, the audit log and the budgets fails.</summary>
    Disk,
}

/// <summary>The words for drills, as commands, files and metrics have them.</summary>
public static class DrillWords
{
    /// <summary>Every word.</summary>
    public static IEnumerable<string> All => Enum.GetValues<DrillKind>().Select(Of);

    /// <summary>The word of a kind.</summary>
    public static string Of(DrillKind kind) => kind switch
    {
        DrillKind.Steps => "steps",
        DrillKind.TargetDead => "target-dead",
        DrillKind.TargetSlow => "target-slow",
        DrillKind.TargetThrottled => "target-429",
        DrillKind.Replica => "replica",
        DrillKind.Spike => "spike",
        DrillKind.Cache => "cache",
        DrillKind.Disk => "disk",
    };

    /// <summary>What it does, as half a sentence.</summary>
    public static string What(DrillKind kind) => kind switch
    {
        DrillKind.Steps => "each step of a route's chain fails in turn",
        DrillKind.TargetDead => "a target of an upstream takes no connection",
        DrillKind.TargetSlow => "a target of an upstream answers late",
        DrillKind.TargetThrottled => "a target of an upstream answers 429",
        DrillKind.Replica => "every run of one replica fails",
        DrillKind.Spike => "ten times the traffic",
        DrillKind.Cache => "the remembered answers are forgotten",
        DrillKind.Disk => "nothing more can be written",
    };

    /// <summary>The kind of a word; null for a word that is none.</summary>
    public static DrillKind? Parse(string word) =>
        Enum.GetValues<DrillKind>().Where(k => Of(k) == word).Select(k => (DrillKind?)k).FirstOrDefault();
}
