namespace Spillway.Policies.Identity;

/// <summary>Roles as configuration, the admin protocol and the command line write them.</summary>
internal static class RoleWords
{
    private static readonly (Roles Role, string Word)[] s_words =
        [(Roles.Caller, "caller"), (Roles.Operator, "operator"), (Roles.Auditor, "auditor")];

    /// <summary>The words, in the order of their bits.</summary>
    public static IReadOnlyList<string> All { get; } = [.. s_words.Select(w => w.Word)];

    /// <summary>One word.</summary>
    public static bool TryParse(string word, out Roles role)
    {
        role = Array.Find(s_words, w => w.Word == word).Role;
        return role != Roles.None;
    }

    /// <summary>The words of a set.</summary>
    public static IEnumerable<string> Of(Roles roles) => s_words.Where(w => (roles & w.Role) != 0).Select(w => w.Word);
}
