using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;

namespace Spillway.Tests.Architecture;

/// <summary>
/// Reads from a compiled assembly which types each of its types uses: base types, interfaces, constraints, attributes,
/// fields, signatures, locals, caught exceptions and everything that a method body names. What the compiler has already
/// folded away (constants, nameof) leaves no trace and is not a use.
/// </summary>
internal sealed class AssemblyUses
{
    private readonly PEReader _image;
    private readonly MetadataReader _reader;
    private readonly SignatureTypes _signatures;
    private readonly HashSet<TypeUse> _uses = [];
    private readonly TypeNames _names;
    private TypeName _user;
    private string _where = "";

    private AssemblyUses(PEReader image)
    {
        (_image, _reader) = (image, image.GetMetadataReader());
        _signatures = new(Use);
        _names = new(_reader);
    }

    /// <summary>Every use, without those of a type by itself.</summary>
    public static IReadOnlyCollection<TypeUse> Read(string file)
    {
        using var image = new PEReader(File.OpenRead(file));
        var uses = new AssemblyUses(image);
        foreach (var handle in uses._reader.TypeDefinitions)
            uses.Type(handle);
        return uses._uses;
    }

    private void Type(TypeDefinitionHandle handle)
    {
        var type = _reader.GetTypeDefinition(handle);
        // Lambdas and state machines are nested types of the one that a person wrote.
        _user = _names.OfOutermost(handle);
        _where = "base type";
        if (!type.BaseType.IsNil)
            Use(type.BaseType);
        foreach (var inherited in type.GetInterfaceImplementations())
            Use(_reader.GetInterfaceImplementation(inherited).Interface);
        Generics(type.GetGenericParameters());
        Attributes(type.GetCustomAttributes());
        foreach (var member in type.GetFields())
        {
            var field = _reader.GetFieldDefinition(member);
            _where = "field " + _reader.GetString(field.Name);
            field.DecodeSignature(_signatures, null);
            Attributes(field.GetCustomAttributes());
        }

        foreach (var member in type.GetMethods())
            Method(_reader.GetMethodDefinition(member));
    }

    private void Method(MethodDefinition method)
    {
        _where = "method " + _reader.GetString(method.Name);
        method.DecodeSignature(_signatures, null);
        Generics(method.GetGenericParameters());
        Attributes(method.GetCustomAttributes());
        if (method.RelativeVirtualAddress == 0)
            return;
        var body = _image.GetMethodBody(method.RelativeVirtualAddress);
        if (!body.LocalSignature.IsNil)
            _reader.GetStandaloneSignature(body.LocalSignature).DecodeLocalSignature(_signatures, null);
        foreach (var region in body.ExceptionRegions.Where(r => !r.CatchType.IsNil))
            Use(region.CatchType);
        foreach (var token in IlTokens.Of(body.GetILReader()))
            Use(token);
    }

    private void Generics(GenericParameterHandleCollection parameters)
    {
        foreach (var parameter in parameters)
        {
            foreach (var constraint in _reader.GetGenericParameter(parameter).GetConstraints())
                Use(_reader.GetGenericParameterConstraint(constraint).Type);
        }
    }

    private void Attributes(CustomAttributeHandleCollection attributes)
    {
        foreach (var attribute in attributes)
            Use(_reader.GetCustomAttribute(attribute).Constructor);
    }

    private void Use(EntityHandle handle)
    {
        switch (handle.Kind)
        {
            case HandleKind.TypeDefinition or HandleKind.TypeReference:
                if (_names.Of(handle) is var name && name != _user)
                    _uses.Add(new(_user, _where, name));
                break;
            case HandleKind.TypeSpecification:
                _reader.GetTypeSpecification((TypeSpecificationHandle)handle).DecodeSignature(_signatures, null);
                break;
            case HandleKind.FieldDefinition:
                Use(_reader.GetFieldDefinition((FieldDefinitionHandle)handle).GetDeclaringType());
                break;
            case HandleKind.MethodDefinition:
                Use(_reader.GetMethodDefinition((MethodDefinitionHandle)handle).GetDeclaringType());
                break;
            case HandleKind.MemberReference:
                Member(_reader.GetMemberReference((MemberReferenceHandle)handle));
                break;
            case HandleKind.MethodSpecification:
                var generic = _reader.GetMethodSpecification((MethodSpecificationHandle)handle);
                generic.DecodeSignature(_signatures, null);
                Use(generic.Method);
                break;
            case HandleKind.StandaloneSignature:
                _reader.GetStandaloneSignature((StandaloneSignatureHandle)handle)
                    .DecodeMethodSignature(_signatures, null);
                break;
            default:
                throw new BadImageFormatException($"A {handle.Kind} is not known here.");
        }
    }

    private void Member(MemberReference member)
    {
        Use(member.Parent);
        if (member.GetKind() is MemberReferenceKind.Field)
            member.DecodeFieldSignature(_signatures, null);
        else
            member.DecodeMethodSignature(_signatures, null);
    }
}
