using System.Security.Cryptography;
using Spillway.Store.Audit.Merkle;

namespace Spillway.Store.Audit;

/// <summary>
/// Makes the tree anew from records that came from somewhere else, one after the other, and holds it against signed
/// heads: so somebody who has no access to the files verifies a server's log without believing what it says of itself.
/// Heads that are gone show as they do in the files (<see cref="AuditTail"/>). Not thread-safe.
/// </summary>
/// <param name="log">The log's id; a head of another one is none of it.</param>
/// <param name="heads">Heads that the server shows and heads that were kept elsewhere.</param>
/// <param name="keys">Public keys that may have signed them.</param>
public sealed class AuditReplay(string log, IEnumerable<AuditHead> heads, IReadOnlyList<ECDsa> keys)
{
    private readonly CompactRange _range = new();
    private readonly AuditTail _tail = new();
    private readonly byte[] _completed = new byte[CompactRange.CompletedBytesMax];
    private readonly Queue<AuditHead> _heads = new(heads.Distinct().OrderBy(h => h.Size));
    private AuditHead? _good;
    private int _goodHeads;
    private AuditDamage? _damage;

    /// <summary>The index of the next record.</summary>
    public long Next => _range.Size;

    /// <summary>Records that the last good head covers.</summary>
    private long Signed => _good?.Size ?? 0;

    /// <summary>Takes the next record; false when it, or a head at it, is damaged.</summary>
    public bool Add(ReadOnlySpan<byte> record)
    {
        var (index, said) = (Next, RecordFormat.IndexOf(record));
        if (said != index)
        {
            _damage ??= new(AuditDamageKind.Removed, index, index, said < 0
                ? $"Record {index} is missing: what came in its place is no record."
                : $"Record {index} is missing: record {said} came in its place.");
            return false;
        }

        var action = AuditTail.ActionOf(record);
        if ((_damage ??= _tail.Before(action, Signed)) is not null)
            return false;
        _range.Append(MerkleHash.Leaf(record), _completed);
        _tail.Took(record, index, Signed);
        while (_heads.TryPeek(out var head) && head.Size <= Next)
        {
            _heads.Dequeue();
            Compare(head);
        }

        _tail.Headed(action, index, Signed);
        return _damage is null;
    }

    /// <summary>What was found, after the last record.</summary>
    /// <param name="told">
    /// The newest head that the server says it signed; one that its own list lacks was taken away.
    /// </param>
    /// <param name="listed">Size of the newest head in that list; 0 for none.</param>
    public AuditReport Report(AuditHead? told = null, long listed = 0)
    {
        if (_damage is null && _heads.LastOrDefault() is { } missing)
        {
            _damage = new(AuditDamageKind.Truncated, Next, missing.Size - 1,
                $"Records {Next} to {missing.Size - 1} are missing: a head has signed {missing.Size}.");
        }

        if (told is not null && told.Size > listed)
        {
            _damage ??= new(AuditDamageKind.HeadMissing, listed, told.Size - 1,
                $"The server signed a head of {told.Size} records, and its list of heads ends "
                    + (listed > 0 ? $"with one of {listed}" : "before the first")
                    + $": heads were taken away, and nothing that is kept proves records {listed} to {told.Size - 1}.");
        }

        _damage ??= _tail.End(Next, Signed);
        return new()
        {
            Log = log, Records = _damage is null ? Next : Math.Min(Next, _damage.First), Heads = _goodHeads,
            Signed = Signed, Root = Convert.ToHexStringLower(_range.Root()), Damage = _damage,
            Notes = _damage is null && _tail.Note(Next, Signed) is { } note ? [note] : [],
        };
    }

    private void Compare(AuditHead head)
    {
        var from = Signed;
        var last = Math.Max(head.Size - 1, from);
        if (head.Log != log)
        {
            _damage ??= new(AuditDamageKind.HeadForged, from, last,
                $"The head at {head.Size} is of another log ({head.Log}; this one is {log}).");
        }
        else if (!head.IsSignedBy(keys))
        {
            _damage ??= new(AuditDamageKind.HeadForged, from, last, $"The head at {head.Size} is not signed by a "
                + "trusted key.");
        }
        else if (head.Size != Next || head.Root != Convert.ToHexStringLower(_range.Root()))
        {
            _damage ??= new(AuditDamageKind.Rewritten, from, last,
                $"The head at {head.Size}, signed {head.Time}, has another root: something between record {from} "
                    + $"and record {last} was written anew after it was signed.");
        }
        else
        {
            (_good, _goodHeads) = (head, _goodHeads + 1);
        }
    }
}
