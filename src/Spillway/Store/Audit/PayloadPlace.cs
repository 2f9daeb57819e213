namespace Spillway.Store.Audit;

/// <summary>Where the encrypted inputs of a request lie.</summary>
/// <param name="File">Name of the file in the folder of payloads.</param>
/// <param name="Offset">Its first byte there.</param>
/// <param name="Length">Bytes of it.</param>
/// <param name="Hash">SHA-256 of these bytes as they lie there, encrypted: tells nothing of the inputs.</param>
internal readonly record struct PayloadPlace(string File, long Offset, int Length, byte[] Hash);
