using Microsoft.Extensions.Logging;

namespace Spillway.Engine;

/// <summary>What the Engine logs. Event ids 4000 to 4999. Never inputs.</summary>
internal static partial class Log
{
    [LoggerMessage(4001, LogLevel.Error, "The runtime of {Deployment} threw; the run's requests are answered with a fault")]
    public static partial void ReplicaThrew(ILogger logger, string deployment, Exception surprise);

    [LoggerMessage(4002, LogLevel.Information,
        "{Deployment} version {Version} is ready: {Runners} runner(s), batches up to {Rows} row(s), {TypicalMs} "
        + "ms a typical row; loaded in {LoadMs} ms")]
    public static partial void Ready(ILogger logger, string deployment, int version, int runners, int rows,
        double typicalMs, double loadMs);

    [LoggerMessage(4003, LogLevel.Error, "{Deployment} version {Version} failed to load: {Why}")]
    public static partial void LoadFailed(ILogger logger, string deployment, int version, string why);

    [LoggerMessage(4009, LogLevel.Warning,
        "{Deployment} version {Version}: the one that was loaded before goes on serving")]
    public static partial void OldGoesOn(ILogger logger, string deployment, int version);

    [LoggerMessage(4010, LogLevel.Information,
        "{Deployment} version {Version} is being unloaded; what it holds is answered first")]
    public static partial void Unloading(ILogger logger, string deployment, int version);

    [LoggerMessage(4004, LogLevel.Warning, "{Deployment}: the batch curve could not be measured ({Why}); it runs without batching until it has learned")]
    public static partial void NotCalibrated(ILogger logger, string deployment, string why);

    [LoggerMessage(4005, LogLevel.Information, "{Deployment}: refined batch curve, {Runners} runner(s), batches up to {Rows} row(s)")]
    public static partial void Refined(ILogger logger, string deployment, int runners, int rows);

    [LoggerMessage(4008, LogLevel.Warning, "{Deployment}: the longer look at the batch curve failed; the first one holds")]
    public static partial void NotRefined(ILogger logger, string deployment, Exception surprise);

    /// <summary>Tells what is degraded about a load, if anything.</summary>
    public static void Loaded(ILogger logger, string deployment, Runtimes.ILoadedModel model)
    {
        if (model.Report is { Note.Length: > 0 } report)
            LoadNote(logger, deployment, report.Note);
    }

    [LoggerMessage(4030, LogLevel.Warning, "{Deployment}: {Note}")]
    public static partial void LoadNote(ILogger logger, string deployment, string note);

    [LoggerMessage(4006, LogLevel.Information, "Draining: {InFlight} request(s) in flight, waiting up to {DrainMs} ms")]
    public static partial void Draining(ILogger logger, int inFlight, double drainMs);

    [LoggerMessage(4007, LogLevel.Warning, "The drain time is over; {InFlight} request(s) are cancelled")]
    public static partial void DrainOver(ILogger logger, int inFlight);

    [LoggerMessage(4049, LogLevel.Error,
        "Route {Route}: work beside its requests (a copy, a refresh of the cache) met a bug; no request is affected")]
    public static partial void BesideThrew(ILogger logger, string route, Exception surprise);

    [LoggerMessage(4011, LogLevel.Error, "{Model} of the repository is not served: {Why}")]
    public static partial void NotServed(ILogger logger, string model, string why);

    [LoggerMessage(4034, LogLevel.Information,
        "{Model} of the repository: its files still change. It is taken over when they were the same for {PollMs} ms")]
    public static partial void StillChanging(ILogger logger, string model, double pollMs);

    [LoggerMessage(4032, LogLevel.Error, "A look at the repository {Path} met a bug; the next one follows")]
    public static partial void LookFailed(ILogger logger, string path, Exception surprise);

    [LoggerMessage(4012, LogLevel.Error, "Repository: {Place} {Key}: {Problem} {Remedy}")]
    public static partial void RepositoryError(ILogger logger, string place, string key, string problem, string remedy);

    [LoggerMessage(4013, LogLevel.Information, "Repository: {Place} {Key}: {Problem} {Remedy}")]
    public static partial void RepositoryNote(ILogger logger, string place, string key, string problem, string remedy);

    [LoggerMessage(4014, LogLevel.Warning,
        "{Deployment} version {Version} has been loading for {Seconds} s and may hang; what waits is loaded beside it")]
    public static partial void LoadIsLate(ILogger logger, string deployment, int version, double seconds);

    [LoggerMessage(4015, LogLevel.Error, "A job in the background threw; the next ones are done")]
    public static partial void JobThrew(ILogger logger, Exception surprise);

    [LoggerMessage(4031, LogLevel.Warning, "{Warning}")]
    public static partial void CanaryOff(ILogger logger, string warning);

    [LoggerMessage(4033, LogLevel.Warning,
        "{Deployment}: a signature lies beside it and does not count: {Why}. None is required, so it is loaded")]
    public static partial void SignatureDoubtful(ILogger logger, string deployment, string why);
}
