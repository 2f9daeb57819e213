using Microsoft.Extensions.Logging;

namespace Spillway.Store.Audit;

/// <summary>The thread that writes. Everything here runs on it alone.</summary>
public sealed partial class AuditLog
{
    /// <summary>Whether a drill plays the disk full; never while the log ends. Null for never.</summary>
    internal Func<bool>? DiskIsFull { get; set; }

    private void Write()
    {
        while (!_stop.IsSet)
        {
            WaitForWork();
            if (!Step(stopping: false))
                _stop.Wait(s_retry);
        }

        Step(stopping: false);
        Server(AuditRecovery.Stopped, "");
        var began = _time.GetTimestamp();
        while (!Step(stopping: true))
        {
            if (_time.GetElapsedTime(began) > s_stopMax)
            {
                var left = Waiting + _taken;
                Interlocked.Add(ref _lost, left);
                Log.StopFailed(_logger, left, _failure?.Message ?? "");
                return;
            }

            Thread.Yield();
            _work.Wait(GatherTime);
        }
    }

    /// <summary>Until something is there, and a little longer, so that one write takes many.</summary>
    private void WaitForWork()
    {
        var sinceHead = _time.GetElapsedTime(_signedAt);
        var untilHead = TimeSpan.FromMilliseconds(_options.HeadMs) - sinceHead;
        var idle = Waiting == 0 && _taken == 0 && !_files.IsPending;
        if (idle && _files.Written == (_last?.Size ?? 0))
            _work.Wait();
        else if (idle && untilHead > TimeSpan.Zero)
            _work.Wait(untilHead);
        _work.Reset();
        if (Waiting < _refuseFrom)
            _stop.Wait(GatherTime);
    }

    /// <summary>Writes what is there and signs when it is due; false when the disk said no.</summary>
    private bool Step(bool stopping)
    {
        try
        {
            if (!stopping && DiskIsFull?.Invoke() is true)
                throw new IOException("a drill plays the disk full");
            if (_retain)
                DeleteOld();
            do
            {
                Prepare();
                _files.Flush();
            }
            while (Waiting >= (stopping ? 1 : BatchMax));
            if (stopping || _time.GetElapsedTime(_signedAt).TotalMilliseconds >= _options.HeadMs)
                Sign();
            if (_failure is null)
                return true;
            _failure = null;
            Log.Back(_logger, _folder.Path);
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            if (_failure is null)
                Log.Failing(_logger, _folder.Path, e.Message, _options.OnFailure);
            _failure = new(FaultKind.StoreFailed, $"The audit log cannot be written: {e.Message.TrimEnd('.')}. Make "
                + "room, "
                + "or give the rights back.", s_retry);
            return false;
        }
    }

    /// <summary>Takes a batch, unless the one before still waits for the disk, and encodes it.</summary>
    private void Prepare()
    {
        if (_files.IsPending)
            return;
        if (_taken == 0)
        {
            _taken = _queue.Take(_batch.AsSpan(0, BatchMax));
            _placed = 0;
        }

        for (; _placed < _taken; _placed++)
            _places[_placed] = Place(_batch[_placed], _files.Size + _placed);
        for (var i = 0; i < _taken; i++)
            _files.Add(_batch[i], _places[i]);
        _batch.AsSpan(0, _taken).Clear();
        _taken = 0;
        Confess();
    }

    private void DeleteOld()
    {
        _retain = false;
        var today = DateOnly.FromDateTime(_time.GetUtcNow().UtcDateTime);
        var gone = _files.Payloads.DeleteBefore(today.AddDays(-_options.PayloadDays));
        if (gone.Count == 0)
            return;
        Deleted = gone;
        Server("payloads.deleted",
            $"{gone.Count} file(s) older than {_options.PayloadDays} day(s): {string.Join(", ", gone)}", gone.Count);
    }

    private PayloadPlace Place(in AuditEntry entry, long index)
    {
        if (entry.Payload is null)
            return default;
        var place = _files.Payloads.Append(entry.Payload.AsSpan(0, entry.PayloadLength), index, _time.GetUtcNow());
        GiveBack(entry);
        return place;
    }

    /// <summary>What is missing stands in the log itself.</summary>
    private void Confess()
    {
        if (Lost - _lostLogged is > 0 and var lost)
        {
            _lostLogged += lost;
            Log.Lost(_logger, lost);
        }

        Confess(Lost, ref _lostTold, "records.lost",
            "record(s) found no room: the writer was behind or could not write");
        Confess(RefusedRequests, ref _refusedTold, "requests.refused",
            "request(s) refused because the log could not be written");
        Confess(Interlocked.Read(ref _denied), ref _deniedTold, "access.denied",
            "more denied than are listed in a second");
    }

    /// <summary>Told only when that found room itself: in a flood others take it first, and it is told later.</summary>
    private void Confess(long count, ref long told, string action, string words)
    {
        var more = count - told;
        if (more > 0 && Server(action, $"{more} {words}", more))
            told = count;
    }

    private void Sign()
    {
        var why = _files.Sign(_time.GetUtcNow());
        _signedAt = _time.GetTimestamp();
        _last = _files.Last;
        if (why is null)
        {
            _publishing = true;
            return;
        }

        Interlocked.Increment(ref _publishFailures);
        if (_publishing)
            Log.NotPublished(_logger, _options.Publish, why);
        _publishing = false;
    }

    private static partial class Log
    {
        [LoggerMessage(3001, LogLevel.Warning,
            "The audit log {Folder} was not closed: {Kept} whole record(s) behind its last head are kept, {Cut} "
                + "byte(s) of "
            + "a half-written one set aside, {Lost} were lost with the memory of the process")]
        public static partial void Recovered(ILogger logger, string folder, long kept, long cut, string lost);

        [LoggerMessage(3002, LogLevel.Error, "The audit log {Folder} cannot be written: {Why} (audit.onFailure: "
            + "{Declared})")]
        public static partial void Failing(ILogger logger, string folder, string why, AuditFailure declared);

        [LoggerMessage(3003, LogLevel.Information, "The audit log {Folder} is written again")]
        public static partial void Back(ILogger logger, string folder);

        [LoggerMessage(3004, LogLevel.Error, "{Count} record(s) are missing in the audit log; it says so itself")]
        public static partial void Lost(ILogger logger, long count);

        [LoggerMessage(3005, LogLevel.Error, "The audit log could not be closed: {Count} record(s) are lost. {Why}")]
        public static partial void StopFailed(ILogger logger, long count, string why);

        [LoggerMessage(3007, LogLevel.Error,
            "The audit log {Folder}: more record(s) ({Count}) stand behind its last head than a crash leaves. Heads "
                + "were taken away: hold it against heads that were kept elsewhere (spillway audit verify --heads)")]
        public static partial void HeadsGone(ILogger logger, string folder, long count);

        [LoggerMessage(3006, LogLevel.Warning,
            "Heads of the audit log cannot be published to {File}: {Why}. Tried again with each head")]
        public static partial void NotPublished(ILogger logger, string file, string why);
    }
}
