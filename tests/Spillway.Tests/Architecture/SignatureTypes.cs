using System.Collections.Immutable;
using System.Reflection.Metadata;

namespace Spillway.Tests.Architecture;

/// <summary>
/// Walks signatures and hands over every type in them: element types, generic arguments, pointers' targets, modifiers.
/// </summary>
/// <param name="found">Called with a TypeDefinition, TypeReference or TypeSpecification.</param>
internal sealed class SignatureTypes(Action<EntityHandle> found) : ISignatureTypeProvider<int, object?>
{
    public int GetTypeFromDefinition(MetadataReader reader, TypeDefinitionHandle handle, byte rawTypeKind) =>
        Found(handle);

    public int GetTypeFromReference(MetadataReader reader, TypeReferenceHandle handle, byte rawTypeKind) =>
        Found(handle);

    public int GetTypeFromSpecification(
        MetadataReader reader, object? genericContext, TypeSpecificationHandle handle, byte rawTypeKind) =>
        Found(handle);

    public int GetSZArrayType(int elementType) => 0;

    public int GetArrayType(int elementType, ArrayShape shape) => 0;

    public int GetByReferenceType(int elementType) => 0;

    public int GetPointerType(int elementType) => 0;

    public int GetPinnedType(int elementType) => 0;

    public int GetGenericInstantiation(int genericType, ImmutableArray<int> typeArguments) => 0;

    public int GetGenericMethodParameter(object? genericContext, int index) => 0;

    public int GetGenericTypeParameter(object? genericContext, int index) => 0;

    public int GetFunctionPointerType(MethodSignature<int> signature) => 0;

    public int GetModifiedType(int modifier, int unmodifiedType, bool isRequired) => 0;

    public int GetPrimitiveType(PrimitiveTypeCode typeCode) => 0;

    private int Found(EntityHandle handle)
    {
        found(handle);
        return 0;
    }
}
