namespace Spillway.Protocols.OpenInference;

/// <summary>What all parts of one request's translation share.</summary>
internal struct RequestScope
{
    private readonly ReadOnlyMemory<byte> _binary;
    private int _taken;

    /// <summary>Binds one body to the request that it fills.</summary>
    public RequestScope(
        ReadOnlyMemory<byte> binary, bool hasHeaderLength, Signature signature, string model, InferenceRequest into)
    {
        _binary = binary;
        (HasHeaderLength, Signature, Model, Request) = (hasHeaderLength, signature, model, into);
    }

    /// <summary>True when the caller said how long the JSON is, so that binary tensors may follow it.</summary>
    public bool HasHeaderLength { get; }

    /// <summary>Inputs and outputs of the served name.</summary>
    public Signature Signature { get; }

    /// <summary>The served name, for texts.</summary>
    public string Model { get; }

    /// <summary>What is filled.</summary>
    public InferenceRequest Request { get; }

    /// <summary>The bytes behind the JSON that no input has taken yet.</summary>
    public readonly ReadOnlyMemory<byte> BinaryRest => _binary[_taken..];

    /// <summary>Takes the next bytes behind the JSON; the caller has checked that they are there.</summary>
    public ReadOnlyMemory<byte> TakeBinary(int length)
    {
        _taken += length;
        return _binary.Slice(_taken - length, length);
    }
}
