namespace Spillway.Protocols.Grpc;

/// <summary>
/// The statuses of gRPC that this server answers with, by their numbers.
/// https://grpc.github.io/grpc/core/md_doc_statuscodes.html
/// </summary>
internal enum GrpcStatus
{
    /// <summary>It went well.</summary>
    Ok = 0,

    /// <summary>The caller left.</summary>
    Cancelled = 1,

    /// <summary>The request is wrong.</summary>
    InvalidArgument = 3,

    /// <summary>Too late.</summary>
    DeadlineExceeded = 4,

    /// <summary>No such thing.</summary>
    NotFound = 5,

    /// <summary>The caller may not.</summary>
    PermissionDenied = 7,

    /// <summary>A message larger than is taken.</summary>
    ResourceExhausted = 8,

    /// <summary>No such call, or a part of the protocol that is not offered.</summary>
    Unimplemented = 12,

    /// <summary>A broken message, or a failure here.</summary>
    Internal = 13,

    /// <summary>Not now.</summary>
    Unavailable = 14,

    /// <summary>No valid key or token.</summary>
    Unauthenticated = 16,
}
