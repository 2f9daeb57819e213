namespace Spillway.Runtimes.Onnx;

/// <summary>OrtErrorCode of the C interface, as far as it is told apart here.</summary>
internal enum OrtErrorCode
{
    /// <summary>Anything without a code of its own; also a run that was told to stop.</summary>
    Fail = 1,

    /// <summary>An input does not fit the model.</summary>
    InvalidArgument = 2,
}

/// <summary>A failure that the native library reported.</summary>
internal readonly record struct OrtError(OrtErrorCode Code, string Message)
{
    /// <summary>Longest part of a native message that is passed on, in characters.</summary>
    public const int TextMax = 500;

    /// <summary>The message on one line, at most <see cref="TextMax"/> characters.</summary>
    public string Text
    {
        get
        {
            var line = Message.ReplaceLineEndings(" ").Trim();
            return line.Length <= TextMax ? line : string.Concat(line.AsSpan(0, TextMax - 1), "…");
        }
    }

    /// <summary>What a failed run of that model means to its callers.</summary>
    public Fault ToRunFault(string model) => Code == OrtErrorCode.InvalidArgument
        ? Fault.Invalid($"Model '{model}' does not accept this input: {Text}")
        : new Fault(FaultKind.RuntimeFailed, $"Model '{model}' failed while it ran: {Text}");
}

/// <summary>A native failure on its way out of a load; <see cref="OnnxRuntime.Load"/> turns it into a fault.</summary>
internal sealed class OrtException(OrtError error) : Exception(error.Text);
