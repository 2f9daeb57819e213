using Spillway.Engine.Gateway;

namespace Spillway.Protocols.OpenAi;

/// <summary>A caller's connection in one of the forms that answers have.</summary>
internal interface IOpenAiSink : IAnswerSink
{
    /// <summary>Bytes of the answer.</summary>
    long Sent { get; }

    /// <summary>Adds the event that ends a stream which broke.</summary>
    /// <param name="error">The error object.</param>
    void Fail(byte[] error);
}
