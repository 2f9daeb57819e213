using Spillway.Engine.Gateway;

namespace Spillway.Protocols.OpenAi;

/// <summary>Keeps a copy of a whole answer on its way to the caller, for who asks the same under the same
/// key.</summary>
/// <param name="inner">The caller's connection.</param>
/// <param name="kept">Where it is kept.</param>
/// <param name="entry">Under which key.</param>
internal sealed class KeepingSink(IOpenAiSink inner, IdempotentAnswers kept, IdempotentEntry entry) : IOpenAiSink
{
    /// <summary>The answer; null when there was none, or it was too long.</summary>
    public byte[]? Body { get; private set; }

    /// <inheritdoc/>
    public bool HasBegun => inner.HasBegun;

    /// <inheritdoc/>
    public long Sent => inner.Sent;

    /// <inheritdoc/>
    public void BeginStream() => inner.BeginStream();

    /// <inheritdoc/>
    public void Write(ReadOnlySpan<byte> bytes) => inner.Write(bytes);

    /// <inheritdoc/>
    public ValueTask<bool> FlushAsync() => inner.FlushAsync();

    /// <inheritdoc/>
    public ValueTask<bool> SendAsync(ReadOnlyMemory<byte> body)
    {
        // Also when this caller is gone: it is the one that will ask again.
        Body = kept.Holds(entry, body.Length) ? body.ToArray() : null;
        return inner.SendAsync(body);
    }

    /// <inheritdoc/>
    public void Fail(byte[] error) => inner.Fail(error);
}
