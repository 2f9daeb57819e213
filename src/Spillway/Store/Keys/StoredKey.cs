namespace Spillway.Store.Keys;

/// <summary>A key as it lies in the store.</summary>
/// <param name="Key">What is known of it.</param>
/// <param name="Digest">HMAC-SHA-256 of its text under the pepper.</param>
/// <param name="Previous">That of the text before the last rotation; null when there was none.</param>
internal sealed record StoredKey(AccessKey Key, byte[] Digest, byte[]? Previous);
