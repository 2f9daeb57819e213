using System.Reflection.Metadata;

namespace Spillway.Tests.Architecture;

/// <summary>Names the types of a compiled assembly, its own and those that it refers to.</summary>
/// <param name="reader">Its metadata.</param>
internal sealed class TypeNames(MetadataReader reader)
{
    private readonly string _assembly = reader.GetString(reader.GetAssemblyDefinition().Name);

    /// <summary>The name of the type that a person wrote around a nested one.</summary>
    public TypeName OfOutermost(TypeDefinitionHandle handle)
    {
        while (reader.GetTypeDefinition(handle).GetDeclaringType() is { IsNil: false } outer)
            handle = outer;
        return Of(handle);
    }

    /// <summary>The name of a TypeDefinition or TypeReference.</summary>
    public TypeName Of(EntityHandle handle) => handle.Kind is HandleKind.TypeDefinition
        ? Of((TypeDefinitionHandle)handle)
        : Of((TypeReferenceHandle)handle);

    private TypeName Of(TypeDefinitionHandle handle)
    {
        var type = reader.GetTypeDefinition(handle);
        var name = reader.GetString(type.Name);
        if (type.GetDeclaringType() is { IsNil: false } outer && Of(outer) is var around)
            return around with { Name = $"{around.Name}+{name}" };
        return new(_assembly, reader.GetString(type.Namespace), name);
    }

    private TypeName Of(TypeReferenceHandle handle)
    {
        var type = reader.GetTypeReference(handle);
        var name = reader.GetString(type.Name);
        var scope = type.ResolutionScope;
        if (scope.Kind is HandleKind.TypeReference)
        {
            var around = Of((TypeReferenceHandle)scope);
            return around with { Name = $"{around.Name}+{name}" };
        }

        var assembly = scope.Kind is HandleKind.AssemblyReference
            ? reader.GetString(reader.GetAssemblyReference((AssemblyReferenceHandle)scope).Name)
            : _assembly;
        return new(assembly, reader.GetString(type.Namespace), name);
    }
}
