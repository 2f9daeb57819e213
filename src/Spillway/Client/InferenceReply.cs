namespace Spillway.Client;

/// <summary>A model's answer, or a part of one that streams. Owns its data; immutable and thread-safe.</summary>
public sealed class InferenceReply
{
    /// <summary>The served name that answered.</summary>
    public required string Model { get; init; }

    /// <summary>Its version.</summary>
    public required string Version { get; init; }

    /// <summary>The caller's own id; empty when the call had none.</summary>
    public string Id { get; init; } = "";

    /// <summary>The server's name for the request: `spillway explain` tells where its time went.</summary>
    public string RequestId { get; init; } = "";

    /// <summary>True when nothing real ran: a simulated model answered.</summary>
    public bool IsSimulated { get; init; }

    /// <summary>The outputs, in the order asked for or the model's.</summary>
    public required IReadOnlyList<InferenceOutput> Outputs { get; init; }

    /// <summary>The output of that name.</summary>
    /// <exception cref="KeyNotFoundException">The reply has no such output.</exception>
    public InferenceOutput this[string name] => Outputs.FirstOrDefault(o => o.Name == name)
        ?? throw new KeyNotFoundException(
            $"The reply of '{Model}' has no output '{name}'. "
            + $"It has: {string.Join(", ", Outputs.Select(o => o.Name))}.");
}
