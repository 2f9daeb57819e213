using System.Globalization;

namespace Spillway.Policies.Identity;

/// <summary>Why a credential was refused, for the counter; none of it is told to who has no valid secret.</summary>
internal enum Refusal
{
    /// <summary>There was no credential.</summary>
    Missing,

    /// <summary>It is neither a key nor a token, or a mistyped key.</summary>
    Malformed,

    /// <summary>No such key, or another secret.</summary>
    Unknown,

    /// <summary>Its time is over.</summary>
    Expired,

    /// <summary>It was revoked.</summary>
    Revoked,

    /// <summary>A token that is not valid: its signature, issuer, audience, time, algorithm or claims.</summary>
    Token,

    /// <summary>Valid, and without the role that was needed.</summary>
    Role,

    /// <summary>Valid, and not for that model.</summary>
    Model,

    /// <summary>A web page that may not call.</summary>
    Origin,
}

/// <summary>Whether a key whose secret was right may be used now. Pure.</summary>
internal static class KeyRules
{
    /// <summary>Null, or why not; only ever told to who has the secret.</summary>
    /// <param name="key">The key.</param>
    /// <param name="isPrevious">Whether the secret is the one before the last rotation.</param>
    /// <param name="now">The time.</param>
    /// <param name="why">The reason, for the counter.</param>
    public static Fault? Judge(AccessKey key, bool isPrevious, DateTimeOffset now, out Refusal why)
    {
        why = Refusal.Revoked;
        if (key.Revoked is { } revoked)
            return Refused($"The key {key.Id} was revoked at {Time(revoked)}. Ask the operator for another.");
        why = Refusal.Expired;
        if (key.Expires is { } expires && now >= expires)
            return Refused($"The key {key.Id} expired at {Time(expires)}. Ask the operator for another.");
        if (isPrevious && !(now < key.PreviousUntil))
        {
            return Refused($"The key {key.Id} was rotated at {Time(key.Rotated)}, and its former secret worked until "
                + $"{Time(key.PreviousUntil)}. Use the new one.");
        }

        return null;
    }

    /// <summary>Until when a secret that may be used now may be used without looking again.</summary>
    public static DateTimeOffset GoodUntil(AccessKey key, bool isPrevious)
    {
        var until = key.Expires ?? DateTimeOffset.MaxValue;
        return isPrevious && key.PreviousUntil is { } grace && grace < until ? grace : until;
    }

    private static Fault Refused(string message) => new(FaultKind.Unauthenticated, message);

    private static string Time(DateTimeOffset? time) =>
        time is { } known ? known.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss'Z'", CultureInfo.InvariantCulture) : "";
}
