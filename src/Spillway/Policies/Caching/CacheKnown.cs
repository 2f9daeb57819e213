namespace Spillway.Policies.Caching;

/// <summary>What the owner found out before it took its lock.</summary>
/// <param name="Same">An entry whose key is the question's, byte for byte.</param>
/// <param name="Copy">The question in memory of its own, to be kept when it is new.</param>
internal readonly record struct CacheKnown(CacheEntry? Same, byte[]? Copy);
