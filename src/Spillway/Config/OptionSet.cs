using System.Collections.Concurrent;
using System.Reflection;
using System.Text.Json;

namespace Spillway.Config;

/// <summary>What kind of value an option takes.</summary>
internal enum OptionKind
{
    /// <summary>Text.</summary>
    Text,

    /// <summary>true or false.</summary>
    Switch,

    /// <summary>A whole number.</summary>
    Whole,

    /// <summary>A number.</summary>
    Number,

    /// <summary>One member of an enum, in camelCase.</summary>
    Word,

    /// <summary>A list of one kind of element.</summary>
    List,

    /// <summary>Names or whole numbers to one kind of element.</summary>
    Map,

    /// <summary>Options of its own.</summary>
    Section,
}

/// <summary>A type as configuration sees it.</summary>
/// <param name="Kind">What it takes.</param>
/// <param name="Type">The type without Nullable.</param>
/// <param name="Element">Element of a list or value of a mapping.</param>
/// <param name="Key">Key of a mapping: string or int.</param>
internal sealed record OptionShape(OptionKind Kind, Type Type, OptionShape? Element = null, Type? Key = null)
{
    /// <summary>Reads a property's type; throws on one that no binder knows, because that is a bug here.</summary>
    public static OptionShape Of(Type declared)
    {
        var type = Nullable.GetUnderlyingType(declared) ?? declared;
        if (Simple(type) is { } simple)
            return new(simple, type);
        if (Generic(type, typeof(IReadOnlyList<>)) is [var item])
            return new(OptionKind.List, type, Of(item));
        if (Generic(type, typeof(IReadOnlyDictionary<,>)) is [var key, var value]
            && (key == typeof(string) || key == typeof(int)))
            return new(OptionKind.Map, type, Of(value), key);
        return type is { IsClass: true, IsGenericType: false, IsArray: false }
            && type.GetConstructor(Type.EmptyTypes) is not null
            ? new(OptionKind.Section, type)
            : throw new NotSupportedException($"Options of type {declared} are not supported; see OptionShape.");
    }

    private static OptionKind? Simple(Type type)
    {
        if (type == typeof(string))
            return OptionKind.Text;
        if (type == typeof(bool))
            return OptionKind.Switch;
        if (type == typeof(int) || type == typeof(long))
            return OptionKind.Whole;
        if (type == typeof(double))
            return OptionKind.Number;
        return type.IsEnum ? OptionKind.Word : null;
    }

    private static Type[]? Generic(Type type, Type definition) =>
        type.IsGenericType && type.GetGenericTypeDefinition() == definition ? type.GetGenericArguments() : null;
}

/// <summary>One key of a section.</summary>
/// <param name="Key">In camelCase.</param>
/// <param name="Property">Where it is kept.</param>
/// <param name="Option">What the property says of itself.</param>
/// <param name="Shape">What it takes.</param>
/// <param name="Default">Its value when absent.</param>
internal sealed record OptionMember(
    string Key, PropertyInfo Property, OptionAttribute Option, OptionShape Shape, object? Default);

/// <summary>
/// The keys of an options class, in the order of declaration. Reflection happens here, once for each class: a look at
/// a repository binds hundreds of models.
/// </summary>
internal static class OptionSet
{
    private static readonly ConcurrentDictionary<Type, IReadOnlyList<OptionMember>> s_known = new();

    /// <summary>Every property with an <see cref="OptionAttribute"/>.</summary>
    public static IReadOnlyList<OptionMember> Of(Type type) => s_known.GetOrAdd(type, Read);

    private static IReadOnlyList<OptionMember> Read(Type type)
    {
        var defaults = Activator.CreateInstance(type)!;
        return
        [
            .. from property in type.GetProperties(BindingFlags.Public | BindingFlags.Instance)
               let option = property.GetCustomAttribute<OptionAttribute>()
               where option is not null
               orderby property.MetadataToken
               select new OptionMember(JsonNamingPolicy.CamelCase.ConvertName(property.Name), property, option,
                   OptionShape.Of(property.PropertyType), property.GetValue(defaults)),
        ];
    }

    /// <summary>The words of an enum as configuration writes them.</summary>
    public static IReadOnlyList<string> Words(Type enumType) =>
        [.. Enum.GetNames(enumType).Select(JsonNamingPolicy.CamelCase.ConvertName)];

    /// <summary>The words that an option allows; empty when any text will do.</summary>
    public static IReadOnlyList<string> Words(OptionShape shape, OptionAttribute option)
    {
        if (shape.Kind == OptionKind.Word)
            return Words(shape.Type);
        return option.OneOf.Length == 0 ? [] : option.OneOf.Split('|');
    }
}
