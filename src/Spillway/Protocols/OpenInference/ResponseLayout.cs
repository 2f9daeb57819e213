namespace Spillway.Protocols.OpenInference;

/// <summary>How an answer's body is divided.</summary>
/// <param name="JsonLength">Bytes of JSON.</param>
/// <param name="BinaryLength">Bytes of binary tensors behind it.</param>
/// <param name="Binary">True when at least one output is binary, be it empty.</param>
internal readonly record struct ResponseLayout(int JsonLength, long BinaryLength, bool Binary)
{
    /// <summary>For the Content-Length header.</summary>
    public long Length => JsonLength + BinaryLength;

    /// <summary>For <see cref="InferRequestReader.HeaderLengthName"/>; null when that header is not sent.</summary>
    public int? HeaderLength => Binary ? JsonLength : null;

    /// <summary>For the Content-Type header.</summary>
    public string ContentType => Binary ? "application/octet-stream" : "application/json";
}
