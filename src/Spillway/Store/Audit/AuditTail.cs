using System.Buffers.Binary;
using System.Globalization;

namespace Spillway.Store.Audit;

/// <summary>
/// Judges what stands behind the last good head of a log: more than a server leaves that was killed means that heads
/// were taken away. Told of every record in order. Not thread-safe.
/// </summary>
internal sealed class AuditTail
{
    private const long JumpMicros = 1_000_000;

    /// <summary>A head is signed each hour at least (audit.headMs), so no crash leaves more behind the last.</summary>
    private static readonly TimeSpan s_unsignedMax = TimeSpan.FromMinutes(61);

    private long _stopped = -1;
    private long _since;
    private long _time;

    /// <summary>How often the server's clock went back.</summary>
    public int Jumps { get; private set; }

    /// <summary>What a record of the server itself says; null for every other record.</summary>
    public static string? ActionOf(ReadOnlySpan<byte> record) => record[1] == (byte)AuditKind.Server
        ? AuditRecord.Parse(record.ToArray())?.Action
        : null;

    /// <summary>A record comes: damage when the one before was a stop that no head covers.</summary>
    /// <param name="action">What it says of the server.</param>
    /// <param name="signed">Records that the last good head covers.</param>
    public AuditDamage? Before(string? action, long signed) =>
        // A server that found no head of the stop says so itself.
        _stopped >= 0 && action != AuditRecovery.Recovered ? Unstopped(signed) : null;

    /// <summary>A record was taken; before the heads at it are looked at.</summary>
    public void Took(ReadOnlySpan<byte> record, long index, long signed)
    {
        var time = BinaryPrimitives.ReadInt64LittleEndian(record[10..]);
        // Requests that end together are written in either order: that is no jump.
        if (time + JumpMicros < _time)
            Jumps++;
        (_time, _since) = (time, index == signed ? time : _since);
    }

    /// <summary>The heads at a record were looked at.</summary>
    public void Headed(string? action, long index, long signed) =>
        _stopped = action == AuditRecovery.Stopped && signed <= index ? index : -1;

    /// <summary>The last record was read.</summary>
    public AuditDamage? End(long records, long signed)
    {
        if (_stopped >= 0)
            return Unstopped(signed);
        return records > signed && _time - _since > s_unsignedMax.TotalMicroseconds
            ? new(AuditDamageKind.HeadMissing, signed, records - 1,
                $"Records {signed} to {records - 1}, from {Text(_since)} to {Text(_time)}, are under no head, and "
                    + "a server signs one each hour at least: heads are gone, and nothing proves these records.")
            : null;
    }

    /// <summary>What is worth knowing of a log without damage.</summary>
    public string? Note(long records, long signed) => records > signed
        ? $"{records - signed} record(s) from {Text(_since)} on are whole, not signed yet, not proven."
        : null;

    private AuditDamage Unstopped(long signed) => new(AuditDamageKind.HeadMissing, signed, _stopped,
        $"Record {_stopped} says that the server stopped, and the head that a stop signs is gone: nothing proves "
            + $"records {signed} to {_stopped}.");

    private static string Text(long micros) => DateTimeOffset.UnixEpoch.AddMicroseconds(micros)
        .ToString("u", CultureInfo.InvariantCulture);
}
