using System.Buffers;

namespace Spillway.Engine.Gateway;

/// <summary>
/// What a model wrote so far, for counting it with a vocabulary where the upstream does not say. Bounded: of what is
/// beyond, only the bytes are known. One owner.
/// </summary>
/// <param name="charsMax">The most characters that are kept.</param>
internal sealed class AnswerText(int charsMax)
{
    private readonly ArrayBufferWriter<char> _text = new(256);

    /// <summary>What is kept.</summary>
    public ReadOnlySpan<char> Text => _text.WrittenSpan;

    /// <summary>Bytes of what is not.</summary>
    public long BytesBeyond { get; private set; }

    /// <summary>Takes one more text.</summary>
    /// <param name="raw">Its bytes between its quotation marks.</param>
    /// <param name="isEscaped">Whether there are escapes among them.</param>
    public void Add(ReadOnlySpan<byte> raw, bool isEscaped)
    {
        if (_text.WrittenCount + raw.Length > charsMax)
            BytesBeyond += raw.Length;
        else if (!raw.IsEmpty)
            _text.Advance(JsonChars.Read(raw, isEscaped, _text.GetSpan(raw.Length)));
    }

    /// <summary>Another answer begins.</summary>
    public void Clear()
    {
        _text.ResetWrittenCount();
        BytesBeyond = 0;
    }
}
