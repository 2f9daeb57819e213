using Microsoft.AspNetCore.Http;

namespace Spillway.Protocols;

/// <summary>Decides whether an answer is compressed, and says so in its headers.</summary>
internal static class AnswerCoding
{
    /// <summary>
    /// The coding of an answer of that many bytes. Vary is sent wherever a caller's Accept-Encoding was looked at; to a
    /// caller without one the plain answer is right for everybody, so a cache may keep it for all.
    /// </summary>
    public static ContentCoding Begin(HttpContext http, long length)
    {
        var accepted = http.Request.Headers.AcceptEncoding;
        if (accepted.Count == 0)
            return ContentCoding.Identity;
        var headers = http.Response.Headers;
        headers.Vary = "Accept-Encoding";
        var coding = length < ContentCodings.BytesMin ? ContentCoding.Identity : ContentCodings.Choose(accepted);
        if (coding is not ContentCoding.Identity)
            headers.ContentEncoding = coding.Name();
        return coding;
    }
}
