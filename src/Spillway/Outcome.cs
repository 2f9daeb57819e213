using System.Diagnostics.CodeAnalysis;

namespace Spillway;

/// <summary>A value, or the fault that prevented it. Never both.</summary>
/// <typeparam name="T">The value.</typeparam>
public readonly struct Outcome<T>
{
    private readonly T? _value;

    private Outcome(T? value, Fault? fault) => (_value, Fault) = (value, fault);

    /// <summary>The fault, or null on success.</summary>
    public Fault? Fault { get; }

    /// <summary>The value; throws on a fault, because the caller did not look.</summary>
    public T Value => Fault is null ? _value! : throw new InvalidOperationException(Fault.Message);

    /// <summary>True and the value, or false and the fault.</summary>
    public bool TryGet([MaybeNullWhen(false)] out T value, [NotNullWhen(false)] out Fault? fault)
    {
        (value, fault) = (_value!, Fault);
        return fault is null;
    }

    /// <summary>Success.</summary>
    public static implicit operator Outcome<T>(T value) => new(value, null);

    /// <summary>Failure.</summary>
    public static implicit operator Outcome<T>(Fault fault) => new(default, fault);
}
