using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Spillway.App.Load;

/// <summary>Turns servers, models, paths and inputs into endpoints with prebuilt requests.</summary>
internal static class EndpointPlanner
{
    private const int EndpointsMax = 16;
    private const long RequestBytesMax = 512L << 20;

    private readonly record struct Server(string Name, Uri Address);

    /// <summary>A model or a path on a server, before anything is asked of it.</summary>
    private readonly record struct Target(string Name, Server Server, string? Model, string Path);

    public static async Task<IReadOnlyList<Endpoint>> CreateAsync(LoadOptions options, CancellationToken stop)
    {
        var servers = ParseServers(options.Compare.Length > 0 ? options.Compare : options.Servers);
        var targets = Targets(options, servers);
        var pids = Pids(options.Pids, targets);
        var headers = Headers(options.Headers);
        List<Endpoint> endpoints = [];
        RequestContent[]? shared = null;
        // Models first: a bare path without a body of its own gets the same bytes as the first model.
        foreach (var target in targets.OrderBy(t => t.Model is null))
        {
            var address = await ConnectAsync(target.Server.Address, stop);
            var metadata = target.Model is { } model
                ? await ModelMetadata.GetAsync(target.Server.Address, model, headers, stop)
                : null;
            var contents = Contents(options, metadata, shared, target);
            shared ??= contents;
            endpoints.Add(new()
            {
                Name = target.Name,
                Server = target.Server.Address,
                Address = address,
                Path = target.Path,
                Model = target.Model,
                Requests = Assemble(target, contents, headers),
                DeadlineMs = options.DeadlineMs ?? metadata?.DeadlineMs,
                DeadlineSource = options.DeadlineMs is not null ? "command line"
                    : metadata?.DeadlineMs is not null ? "model metadata" : "none",
                Pid = pids.TryGetValue(target.Name, out var pid) ? pid : null,
            });
        }

        return [.. endpoints.OrderBy(e => targets.FindIndex(t => t.Name == e.Name))];
    }

    private static byte[][] Assemble(Target target, RequestContent[] contents, string[] headers)
    {
        var bytes = contents.Sum(c => (long)c.Body.Length);
        return bytes <= RequestBytesMax
            ? [.. contents.Select(c => RequestBuilder.Assemble(target.Server.Address, target.Path, c, headers))]
            : throw LoadException.Usage($"The {contents.Length} different requests of {target.Name} take {bytes >> 20} "
                + $"MiB; at most {RequestBytesMax >> 20}. Lower --variants.");
    }

    private static List<Server> ParseServers(string[] texts)
    {
        List<Server> servers = [];
        foreach (var text in texts.Length == 0 ? [LoadOptions.DefaultServer] : texts)
        {
            var named = text.IndexOf("://", StringComparison.Ordinal) is var scheme
                && text.IndexOf('=', StringComparison.Ordinal)
                is >= 0 and var sign && sign < scheme;
            var (name, url) = named ? Quantity.Pair(text) : (null, text);
            if (!Uri.TryCreate(url, UriKind.Absolute, out var address) || address.Scheme != "http"
                || address.PathAndQuery != "/")
                throw LoadException.Usage($"--server '{text}' is not a server's address. Write http://host:port or "
                    + "name=http://host:port; spillway load speaks plain HTTP.");
            servers.Add(new(name ?? address.Authority, address));
        }

        var twice = servers.GroupBy(s => s.Name).FirstOrDefault(g => g.Count() > 1);
        return twice is null ? servers
            : throw LoadException.Usage(
                $"Two servers are called '{twice.Key}'. Name them: --server a=URL --server b=URL.");
    }

    private static List<Target> Targets(LoadOptions options, List<Server> servers)
    {
        List<Target> targets = [];
        foreach (var server in servers)
        {
            var models = For(options.Models, server, servers);
            var paths = For(options.Paths, server, servers);
            var many = models.Count + paths.Count > 1;
            string NameOf(string what) => many ? $"{server.Name}:{what}" : server.Name;
            targets.AddRange(models.Select(m =>
                new Target(NameOf(m), server, m, $"/v2/models/{Uri.EscapeDataString(m)}/infer")));
            targets.AddRange(paths.Select(p => new Target(NameOf(p), server, null, p)));
            if (models.Count + paths.Count == 0)
                throw LoadException.Usage(
                    $"Nothing to ask of {server.Address}: give --model NAME, or --path /path with "
                    + "--body FILE. With several servers: --model server-name:MODEL.");
        }

        if (targets.Find(t => t.Model is null && !t.Path.StartsWith('/')) is { Path: { } bad })
            throw LoadException.Usage($"--path '{bad}' does not begin with '/'.");
        return targets.Count <= EndpointsMax ? targets
            : throw LoadException.Usage(
                $"{targets.Count} endpoints are too many to interleave; at most {EndpointsMax}.");
    }

    /// <summary>The values for one server: those that name it, or the plain ones when none does.</summary>
    private static List<string> For(string[] values, Server server, List<Server> servers)
    {
        (string? Name, string Value) Split(string text)
        {
            // A model's name may hold a colon: only a server's name before it makes a pair.
            var pair = Quantity.Pair(text, ':');
            return servers.Any(s => s.Name == pair.Name) ? pair : (null, text);
        }

        var pairs = values.Select(Split).ToList();
        return [.. pairs.Where(p => p.Name is null || p.Name == server.Name).Select(p => p.Value).Distinct()];
    }

    private static Dictionary<string, int> Pids(string[] texts, List<Target> targets)
    {
        Dictionary<string, int> pids = [];
        foreach (var (text, index) in texts.Select((t, i) => (t, i)))
        {
            var (name, value) = Quantity.Pair(text);
            if (!int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var pid)
                || !new ProcessCpu().Exists(pid))
                throw LoadException.Usage(
                    $"--pid '{text}': no process '{value}' in /proc. Give [name=]PID of a running "
                    + "server (Linux only).");
            var served = name is not null ? targets.Where(t => t.Name == name || t.Server.Name == name).ToList()
                : texts.Length == 1 ? targets : [.. targets.Skip(index).Take(1)];
            if (served.Count == 0)
                throw LoadException.Usage($"--pid '{text}' fits no endpoint. Endpoints: "
                    + $"{string.Join(", ", targets.Select(t => t.Name))}.");
            foreach (var target in served)
                pids[target.Name] = pid;
        }

        return pids;
    }

    private static string[] Headers(string[] headers)
    {
        var bad = headers.FirstOrDefault(h => Quantity.Pair(h, ':').Name is null || h.AsSpan().ContainsAny('\r', '\n')
            || !System.Text.Ascii.IsValid(h));
        return bad is null ? headers
            : throw LoadException.Usage($"--header '{bad}' is not a header. Write 'Name: value' in ASCII.");
    }

    private static RequestContent[] Contents(
        LoadOptions options, ModelMetadata? metadata, RequestContent[]? shared, Target target)
    {
        if (options.Body is { } body)
            return [new([], ReadFile("--body", body))];
        if (options.Raw.Length > 0)
            return [.. options.Raw.Select(f =>
                RequestBuilder.Raw(ReadFile("--raw", f), options.OutputFormat == "json"))];
        if (metadata is not null)
            return InputPlanner.Create(options, metadata, target.Model!);
        return shared ?? throw LoadException.Usage(
            $"{target.Name} has nothing to post to {target.Path}. Add --body FILE.");
    }

    private static byte[] ReadFile(string option, string path)
    {
        if (!File.Exists(path))
            throw LoadException.Usage($"{option} '{path}' does not exist.");
        return new FileInfo(path).Length <= RequestBytesMax ? File.ReadAllBytes(path)
            : throw LoadException.Usage($"{option} '{path}' is larger than {RequestBytesMax >> 20} MiB.");
    }

    /// <summary>
    /// Finds the address that answers: "localhost" may be two, and a server may listen on one of them.
    /// </summary>
    private static async Task<IPEndPoint> ConnectAsync(Uri server, CancellationToken stop)
    {
        var reason = "the name has no address";
        foreach (var address in await ResolveAsync(server, stop))
        {
            using var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(stop);
            limit.CancelAfter(TimeSpan.FromSeconds(5));
            try
            {
                await socket.ConnectAsync(new IPEndPoint(address, server.Port), limit.Token);
                return new(address, server.Port);
            }
            catch (SocketException failure)
            {
                reason = failure.Message;
            }
            catch (OperationCanceledException) when (!stop.IsCancellationRequested)
            {
                reason = "no connection within 5 s";
            }
        }

        throw LoadException.Failed($"Nothing answers at {server}: {reason}. Start the server (spillway up), or name "
            + "another with --server URL.");
    }

    private static async Task<IPAddress[]> ResolveAsync(Uri server, CancellationToken stop)
    {
        try
        {
            return await Dns.GetHostAddressesAsync(server.IdnHost.Trim('[', ']'), stop);
        }
        catch (SocketException failure)
        {
            throw LoadException.Failed($"The host '{server.Host}' of --server {server} is unknown: {failure.Message}.");
        }
    }
}
