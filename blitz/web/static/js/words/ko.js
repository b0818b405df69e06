// Made by tools/words.py from translations/ko; do not edit.
globalThis.blitzWords = {
"Needs attention": "확인 필요",
"Not running": "실행 안 됨",
"Running": "실행 중",
"Starting": "시작하는 중",
"Stopped": "중지됨",
"Stopped by a fault": "오류로 중지됨",
"Stopping": "중지하는 중",
"Stopping after this cycle": "이번 사이클 후 중지",
"The server does not answer. Is it running?": "서버가 응답하지 않습니다. 실행 중인지 확인하세요.",
"The server's answer cannot be read.": "서버의 응답을 읽을 수 없습니다.",
"{days} d {hours} h": "{days}일 {hours}시간",
"{hours} h {minutes} min": "{hours}시간 {minutes}분",
"{minutes} min {seconds} s": "{minutes}분 {seconds}초",
"{seconds} s": "{seconds}초"
};
