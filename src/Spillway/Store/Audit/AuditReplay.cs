using System.Security.Cryptography;
using Spillway.Store.Audit.Merkle;

namespace Spillway.Store.Audit;

/// <summary>
/// Makes the tree anew from records that came from somewhere else, one after the other, and holds it against signed
/// heads: so somebody who has no access to the files verifies a server's log without believing what it says of itself.
/// Not thread-safe.
/// </summary>
/// <param name="heads">Heads that the server shows and heads that were kept elsewhere.</param>
/// <param name="keys">Public keys that may have signed them.</param>
public sealed class AuditReplay(IEnumerable<AuditHead> heads, IReadOnlyList<ECDsa> keys)
{
    private readonly CompactRange _range = new();
    private readonly byte[] _completed = new byte[CompactRange.CompletedBytesMax];
    private readonly Queue<AuditHead> _heads = new(heads.OrderBy(h => h.Size));
    private AuditHead? _good;
    private int _goodHeads;
    private AuditDamage? _damage;

    /// <summary>The index of the next record.</summary>
    public long Next => _range.Size;

    /// <summary>Takes the next record; false when it, or a head at it, is damaged.</summary>
    public bool Add(ReadOnlySpan<byte> record)
    {
        var said = RecordFormat.IndexOf(record);
        if (said != Next)
        {
            _damage ??= new(AuditDamageKind.Removed, Next, Next, $"Record {Next} is missing: record {said} came in "
                + "its place.");
            return false;
        }

        _range.Append(MerkleHash.Leaf(record), _completed);
        while (_heads.TryPeek(out var head) && head.Size <= Next)
        {
            _heads.Dequeue();
            Compare(head);
        }

        return _damage is null;
    }

    /// <summary>What was found, after the last record.</summary>
    /// <param name="log">The log's id.</param>
    public AuditReport Report(string log)
    {
        if (_damage is null && _heads.LastOrDefault() is { } missing)
        {
            _damage = new(AuditDamageKind.Truncated, Next, missing.Size - 1,
                $"Records {Next} to {missing.Size - 1} are missing: a head has signed {missing.Size}.");
        }

        return new()
        {
            Log = log, Records = _damage is null ? Next : Math.Min(Next, _damage.First), Heads = _goodHeads,
            Signed = _good?.Size ?? 0, Root = Convert.ToHexStringLower(_range.Root()), Damage = _damage,
        };
    }

    private void Compare(AuditHead head)
    {
        var from = _good?.Size ?? 0;
        var last = Math.Max(head.Size - 1, from);
        if (!head.IsSignedBy(keys))
        {
            _damage ??= new(AuditDamageKind.HeadForged, from, last, $"The head at {head.Size} is not signed by a "
                + "trusted key.");
        }
        else if (head.Size != Next || head.Root != Convert.ToHexStringLower(_range.Root()))
        {
            _damage ??= new(AuditDamageKind.Rewritten, from, last,
                $"The head at {head.Size}, signed {head.Time}, has another root: something between record {from} "
                    + "and record "
                + $"{last} was written anew after it was signed.");
        }
        else
        {
            (_good, _goodHeads) = (head, _goodHeads + 1);
        }
    }
}
