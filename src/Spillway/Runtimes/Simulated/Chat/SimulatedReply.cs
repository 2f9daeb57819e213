namespace Spillway.Runtimes.Simulated.Chat;

/// <summary>One answer of a simulated language model: a head and pieces with their times.</summary>
public sealed record SimulatedReply
{
    /// <summary>HTTP status.</summary>
    public int Status { get; init; } = 200;

    /// <summary>Headers of the answer.</summary>
    public IReadOnlyList<(string Name, string Value)> Headers { get; init; } = [];

    /// <summary>Content-Type.</summary>
    public string ContentType { get; init; } = "application/json";

    /// <summary>No head is ever sent.</summary>
    public bool HangsBeforeHead { get; init; }

    /// <summary>The body's pieces in order.</summary>
    public IReadOnlyList<SimulatedPiece> Pieces { get; init; } = [];

    /// <summary>What follows the last piece.</summary>
    public SimulatedEnd End { get; init; }
}

/// <summary>A piece of a body.</summary>
/// <param name="After">The wait before it, from the piece before on.</param>
/// <param name="Bytes">What is sent.</param>
public readonly record struct SimulatedPiece(TimeSpan After, ReadOnlyMemory<byte> Bytes);

/// <summary>How a body ends.</summary>
public enum SimulatedEnd
{
    /// <summary>As it should.</summary>
    Whole,

    /// <summary>The connection breaks.</summary>
    Breaks,

    /// <summary>Nothing more comes, and nothing ends.</summary>
    Hangs,
}
