namespace Spillway.Tests.Architecture;

/// <summary>One type of the solution as the metadata names it.</summary>
/// <param name="Assembly">The assembly's name.</param>
/// <param name="Namespace">Of the outermost type around it.</param>
/// <param name="Name">With the outer types, separated by "+".</param>
internal readonly record struct TypeName(string Assembly, string Namespace, string Name)
{
    /// <inheritdoc/>
    public override string ToString() => Namespace.Length == 0 ? Name : $"{Namespace}.{Name}";
}

/// <summary>One place where a type uses another.</summary>
/// <param name="User">The type that uses, without what the compiler nested into it.</param>
/// <param name="Where">"base type", a field's, or a method's name.</param>
/// <param name="Used">The type that is used.</param>
internal readonly record struct TypeUse(TypeName User, string Where, TypeName Used);
