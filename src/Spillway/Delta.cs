namespace Spillway;

/// <summary>One piece of an answer. A classifier's answer has one, a chat's has many.</summary>
/// <param name="Payload">The tensors of this piece; leased: the reader calls <see cref="Dispose"/> when it has written
/// them.</param>
/// <param name="Usage">What this piece consumed.</param>
/// <param name="Last">True on the final piece.</param>
public readonly record struct Delta(TensorSet Payload, Usage Usage, bool Last) : IDisposable
{
    /// <summary>Returns the payload's buffers.</summary>
    public void Dispose() => Payload.Reset();
}
